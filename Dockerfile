# The environment of every job, for `snakemake --sdm apptainer` and for clusters. A release publishes
# it under its version; the `Snakefile` names that image.
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
# Rules depend on the code in the working directory, so jobs must run that code.
ENV PYTHONPATH=.
