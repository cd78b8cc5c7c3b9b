/**
 * Loaded before a service of a local run: ends it when the launcher is gone. The kernel tells it as well, where it can (`setpriv --pdeathsig`);
 * but not every system can, and a launcher that dies in the moment in which a service starts is not heard of that way. The launcher holds the
 * other end of standard input for as long as it lives, however it ends.
 */
const LATER_MS = 500;
/** Longer than a service takes to drain and stop. */
const AT_LAST_MS = 15_000;

let told = false;
// Before somebody else listens, the signal ends the process by itself: that must stay so.
process.on('newListener', function onFirst(name) {
  if (name !== 'SIGTERM') return;
  process.off('newListener', onFirst);
  process.once('SIGTERM', () => {
    told = true;
  });
});

/** A second signal would cut the draining short: it is sent only where the kernel has sent none. */
function launcherIsGone() {
  setTimeout(() => told || process.kill(process.pid, 'SIGTERM'), LATER_MS);
  setTimeout(() => process.exit(1), AT_LAST_MS).unref();
}

process.stdin.once('end', launcherIsGone);
process.stdin.once('error', launcherIsGone);
process.stdin.resume();
process.stdin.unref();
