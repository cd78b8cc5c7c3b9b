export class Steps {
  constructor(options?: { quiet?: boolean });
}
