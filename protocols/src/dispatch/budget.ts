import { BUDGET_MEMORY, BUDGET_RESERVE, BUDGET_SHARE } from './constants.ts'
import { DecayingSum } from './decaying-sum.ts'

/**
 * How much may be sent again: a share of recent requests, so that retries can't multiply the load of a mesh that fails
 * because it is overloaded.
 */
export class RetryBudget {
  private readonly requests = new DecayingSum(BUDGET_MEMORY)
  private readonly spent = new DecayingSum(BUDGET_MEMORY)

  earn(now: number): void {
    this.requests.add(1, now)
  }

  /** @returns false, and spends nothing, when the budget is used up */
  spend(cost: number, now: number): boolean {
    const earned = BUDGET_RESERVE + BUDGET_SHARE * this.requests.value(now)
    if (this.spent.value(now) + cost > earned) return false
    this.spent.add(cost, now)
    return true
  }
}
