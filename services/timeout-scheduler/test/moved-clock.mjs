// Loaded before a service (`node --import`): its wall clock is ten minutes ahead, and after SIGUSR2 ten minutes behind.
const Real = Date;
let shift = 600_000;
process.on('SIGUSR2', () => (shift = -600_000));
globalThis.Date = class Date extends Real {
  constructor(...given) {
    if (given.length === 0) super(Real.now() + shift);
    else super(...given);
  }

  static now() {
    return Real.now() + shift;
  }
};
