# The environment of every rule, for `snakemake --sdm apptainer` and for clusters.
FROM python:3.11-slim-bookworm
RUN apt-get update \
 && apt-get install --yes --no-install-recommends \
      fonts-dejavu-core libharfbuzz-subset0 libpango-1.0-0 libpangoft2-1.0-0 \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /normreport
COPY requirements.lock .
RUN pip install --no-cache-dir --require-hashes --requirement requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY normreport normreport
RUN pip install --no-cache-dir --no-deps --no-build-isolation .
# The code of the working directory goes first, as its files are what rules depend on.
ENV PYTHONPATH=.
