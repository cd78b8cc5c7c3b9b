#!/bin/sh
# Makes the passwords of deploy/compose.yaml, once: a file each in deploy/compose/secrets, a folder that is yours alone.
# What is there already is left as it is.
set -eu
cd "$(dirname "$0")"
mkdir -p secrets
cd secrets
random() { od -An -N24 -tx1 /dev/urandom | tr -d ' \n'; }
once() { [ -s "$1" ] || printf '%s\n' "$2" >"$1"; }
for name in postgres redis nats_operator nats_producer_default intake state_store notifier timeout_scheduler; do once "${name}_password" "$(random)"; done
for name in notifier_secret_key state_store_audit_secret_key; do once "$name" "$(head -c 32 /dev/urandom | base64 | tr -d '\n')"; done
read -r postgres <postgres_password
read -r redis <redis_password
once owner_postgres_url "postgres://postgres:$postgres@postgres:5432/umpire"
once state_store_redis_url "redis://:$redis@redis:6379/0"
once redis.conf "requirepass $redis"
for name in intake state_store notifier timeout_scheduler; do
  read -r password <"${name}_password"
  case $name in timeout_scheduler) role=umpire_scheduler ;; *) role=umpire_$name ;; esac
  once "${name}_postgres_url" "postgres://$role:$password@postgres:5432/umpire"
done
if [ ! -s nats_passwords.conf ]; then
  for name in intake state_store notifier timeout_scheduler nats_operator nats_producer_default; do
    read -r password <"${name}_password"
    printf 'UMPIRE_NATS_%s_PASSWORD: "%s"\n' "$(printf '%s' "${name#nats_}" | tr '[:lower:]' '[:upper:]')" "$password"
  done >nats_passwords.conf
fi
# The folder keeps others out; the files, each mounted by itself, let the containers' users in.
chmod 700 .
chmod 644 ./*
