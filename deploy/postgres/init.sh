#!/bin/sh
# A database and a role of its own for each service. Runs by itself on an empty volume; after an
# upgrade that brings another service, run it again: what is there already stays as it is.
set -eu
create() {
    psql --set=ON_ERROR_STOP=1 --set=name="$1" --set=password="$2" --username "${PGUSER:-postgres}" <<'END'
SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = :'name') AS there \gset
\if :there
\quit
\endif
CREATE ROLE :"name" LOGIN PASSWORD :'password';
CREATE DATABASE :"name" OWNER :"name";
REVOKE CONNECT ON DATABASE :"name" FROM PUBLIC;
END
}
create rapport_ingest "$INGEST_PASSWORD"
create rapport_profile "$PROFILE_PASSWORD"
create rapport_personalization "$PERSONALIZATION_PASSWORD"
create rapport_feedback "$FEEDBACK_PASSWORD"
create rapport_metrics "$METRICS_PASSWORD"
create rapport_keyring "$KEYRING_PASSWORD"
