-- Intake's own schema: what it is granted at provisioning. Policies will live here.
create schema if not exists intake;
