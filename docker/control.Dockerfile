# The control plane: one image, started as api, conductor, scheduler, beat or flower by compose.yml.
FROM python:3.11-slim-bookworm AS build
WORKDIR /build
COPY requirements.txt .
# The control plane never speaks to a hypervisor: libvirt's binding stays out.
RUN grep -v '^libvirt-python' requirements.txt > control.txt \
    && python -m venv /opt/novella \
    && /opt/novella/bin/pip install --no-cache-dir --disable-pip-version-check -r control.txt

FROM python:3.11-slim-bookworm
RUN useradd --system --uid 900 --home-dir /var/lib/novella --create-home novella
COPY --from=build /opt/novella /opt/novella
WORKDIR /srv/novella
COPY manage.py ./
COPY contracts ./contracts
COPY scheduler ./scheduler
COPY cloud ./cloud
COPY host ./host
ENV PATH=/opt/novella/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    DJANGO_SETTINGS_MODULE=cloud.config.settings \
    NOVELLA_STATE_DIR=/var/lib/novella
USER 900
VOLUME /var/lib/novella
EXPOSE 8000
CMD ["gunicorn", "cloud.config.wsgi:application", "--config", "python:cloud.config.gunicorn", "--bind", "0.0.0.0:8000", "--workers", "2"]
