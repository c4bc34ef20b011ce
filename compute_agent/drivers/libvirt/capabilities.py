"""What libvirt says of the host's processor, and the traits that follow."""

from dataclasses import dataclass
from xml.etree import ElementTree as ET

# Names are those of os-traits; the left side is libvirt's.
_CPU_TRAITS = {
    "sse": "HW_CPU_X86_SSE", "sse2": "HW_CPU_X86_SSE2", "ssse3": "HW_CPU_X86_SSSE3", "sse4.1": "HW_CPU_X86_SSE41",
    "sse4.2": "HW_CPU_X86_SSE42", "aes": "HW_CPU_X86_AESNI", "avx": "HW_CPU_X86_AVX", "avx2": "HW_CPU_X86_AVX2",
    "avx512f": "HW_CPU_X86_AVX512F", "avx512bw": "HW_CPU_X86_AVX512BW", "avx512cd": "HW_CPU_X86_AVX512CD",
    "avx512dq": "HW_CPU_X86_AVX512DQ", "avx512vl": "HW_CPU_X86_AVX512VL", "bmi1": "HW_CPU_X86_BMI",
    "bmi2": "HW_CPU_X86_BMI2", "f16c": "HW_CPU_X86_F16C", "fma": "HW_CPU_X86_FMA3", "vmx": "HW_CPU_X86_VMX",
    "svm": "HW_CPU_X86_SVM", "sha-ni": "HW_CPU_X86_SHA", "pclmuldq": "HW_CPU_X86_CLMUL",
}  # fmt: skip
_COMPUTE_TRAITS = (
    "COMPUTE_IMAGE_TYPE_QCOW2", "COMPUTE_IMAGE_TYPE_RAW", "COMPUTE_NET_VIF_MODEL_E1000",
    "COMPUTE_NET_VIF_MODEL_RTL8139", "COMPUTE_NET_VIF_MODEL_VIRTIO", "COMPUTE_STORAGE_BUS_IDE",
    "COMPUTE_STORAGE_BUS_SATA", "COMPUTE_STORAGE_BUS_SCSI", "COMPUTE_STORAGE_BUS_VIRTIO",
)  # fmt: skip


@dataclass(frozen=True)
class Processor:
    """The host's processor."""

    architecture: str
    model: str
    vendor: str
    features: tuple[str, ...]


def read_processor(capabilities: str) -> Processor:
    """Read libvirt's capabilities document; what it leaves out stays empty."""
    document = ET.fromstring(capabilities)  # noqa: S314 - libvirtd's own words, not a tenant's
    cpu = document.find("host/cpu")
    if cpu is None:
        return Processor("x86_64", "", "", ())
    features = sorted({feature.get("name", "") for feature in cpu.iter("feature")} - {""})
    return Processor(
        architecture=cpu.findtext("arch", "x86_64"),
        model=cpu.findtext("model", ""),
        vendor=cpu.findtext("vendor", ""),
        features=tuple(features),
    )


def traits(processor: Processor, virt_type: str) -> tuple[str, ...]:
    """Return the host's traits. An emulated processor has not the host's features, so it claims none of them."""
    found = [_CPU_TRAITS[name] for name in processor.features if name in _CPU_TRAITS] if virt_type == "kvm" else []
    return tuple(sorted({*found, *_COMPUTE_TRAITS}))
