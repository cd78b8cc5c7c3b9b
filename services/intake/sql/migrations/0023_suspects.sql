-- Messages that were handed out again and again, and how often somebody began to read each without coming to its end. A row is there
-- while its message is being read, and stays where reading it ended the process.
create table intake.suspects (
  submission text primary key,
  reads integer not null,
  noted_at timestamptz not null default clock_timestamp()
);
