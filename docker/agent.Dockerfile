# One compute agent: it speaks to its host's libvirt socket and to its host's kernel, so it runs privileged there.
FROM python:3.11-slim-bookworm AS build
RUN apt-get update \
    && apt-get install --yes --no-install-recommends gcc=4:12.* libc6-dev=2.36-* libvirt-dev=9.0.* pkg-config=1.8.* \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /build
COPY requirements.txt .
# No Django on a host: only what the agent imports.
RUN grep -E '^(celery|redis|libvirt-python|pyroute2|msgspec|psutil)' requirements.txt > agent.txt \
    && python -m venv /opt/novella \
    && /opt/novella/bin/pip install --no-cache-dir --disable-pip-version-check -r agent.txt

FROM python:3.11-slim-bookworm
RUN apt-get update \
    && apt-get install --yes --no-install-recommends \
        dnsmasq-base=2.90-* genisoimage=9:1.1.* iproute2=6.1.* libvirt0=9.0.* nftables=1.0.* qemu-utils=1:7.2* \
    && rm -rf /var/lib/apt/lists/*
COPY --from=build /opt/novella /opt/novella
WORKDIR /srv/novella
COPY contracts ./contracts
COPY compute_agent ./compute_agent
ENV PATH=/opt/novella/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    NOVELLA_STATE_DIR=/var/lib/novella
VOLUME /var/lib/novella
CMD ["python", "-m", "compute_agent"]
