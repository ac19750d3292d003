#!/bin/sh
# Runs once, on an empty volume: a database and a role of its own for each service.
set -eu
create() {
    psql --set=ON_ERROR_STOP=1 --set=name="$1" --set=password="$2" --username postgres <<'END'
CREATE ROLE :"name" LOGIN PASSWORD :'password';
CREATE DATABASE :"name" OWNER :"name";
REVOKE CONNECT ON DATABASE :"name" FROM PUBLIC;
END
}
create rapport_ingest "$INGEST_PASSWORD"
create rapport_profile "$PROFILE_PASSWORD"
create rapport_metrics "$METRICS_PASSWORD"
create rapport_keyring "$KEYRING_PASSWORD"
