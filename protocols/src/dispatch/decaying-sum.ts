/** A sum in which what was added long ago counts less: after one time constant, 37 % of it is left. */
export class DecayingSum {
  private readonly decay: number
  private sum = 0
  private at = 0

  /** @param decay time constant in milliseconds */
  constructor(decay: number) {
    this.decay = decay
  }

  value(now: number): number {
    return this.sum === 0 ? 0 : this.sum * Math.exp(-(now - this.at) / this.decay)
  }

  add(amount: number, now: number): void {
    this.sum = this.value(now) + amount
    this.at = now
  }
}
