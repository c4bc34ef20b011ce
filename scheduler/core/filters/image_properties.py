"""An image runs only on hosts that can run it."""

from typing import ClassVar

import numpy as np

from contracts.scheduling import RequestSpec, satisfying
from scheduler.core.columns import Columns, Mask, Numbers
from scheduler.core.filters.base import AfterPick


class ImagePropertiesFilter:
    """The host has the architecture, hypervisor type and VM mode that the image names."""

    name: ClassVar[str] = "ImagePropertiesFilter"
    after_pick: ClassVar[AfterPick] = AfterPick.NOBODY

    def judge(self, hosts: Columns, request: RequestSpec) -> Mask | None:
        """Return who can run the image."""
        columns = {
            "architecture": hosts.architecture,
            "hypervisor_type": hosts.hypervisor_type,
            "vm_mode": hosts.vm_mode,
        }
        mask: Mask | None = None
        for name, column in columns.items():
            word = request.image_properties.get(name, "")
            if word:
                fits = self._fits(hosts, column, word)
                mask = fits if mask is None else mask & fits
        return mask

    def complain(self, hosts: Columns, request: RequestSpec, failed: Mask) -> str:
        """Say what the image asks for."""
        wanted = ", ".join(f"{name}={word}" for name, word in sorted(request.image_properties.items()) if word)
        return f"cannot run an image with {wanted}"

    def _fits(self, hosts: Columns, column: Numbers, word: str) -> Mask:
        find = hosts.vocabulary.words.find
        mask: Mask = np.isin(column, [find(one) for one in satisfying(word)])
        return mask
