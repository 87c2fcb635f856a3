import { type Fact, type FactValue, type Said, type Span, sourceOf } from '../types.ts'
import type { Case } from './case.ts'

/** Lists every fact of a case with where the notes say it. */
export function listFacts({
  doc,
  parties,
  debts,
  budget,
  options,
  decision,
  tasks,
  deadlines,
  passages
}: Case): Fact[] {
  const facts: Fact[] = []
  const add = (field: string, said: Said<FactValue> | undefined): void => {
    if (said != null) facts.push({ field, value: said.value, source: sourceOf(doc.notes, said.span) })
  }
  const quote = (field: string, span: Span): void => {
    const source = sourceOf(doc.notes, span)
    facts.push({ field, value: source.text.replace(/\s+/g, ' '), source })
  }
  add('client.name', parties.client)
  add('client.reference', parties.reference)
  add('client.address', parties.address)
  add('client.nation', parties.nation)
  add('adviser.name', parties.adviser)
  add('advice.date', parties.date)
  add('advice.channel', parties.channel)
  debts.forEach((debt, i) => {
    add(`debts[${i}].creditor`, debt.creditor)
    add(`debts[${i}].original_creditor`, debt.original)
    add(`debts[${i}].kind`, debt.kind)
    add(`debts[${i}].balance`, debt.balance)
    for (const span of debt.again)
      add(`debts[${i}].balance`, debt.balance == null ? undefined : { value: debt.balance.value, span })
    add(`debts[${i}].instalments`, debt.product?.count)
    add(`debts[${i}].instalment`, debt.product?.each)
    add(`debts[${i}].arrears`, debt.arrears)
    add(`debts[${i}].payment`, debt.payment)
    add(`debts[${i}].payment_period`, debt.payment?.period)
    add(`debts[${i}].priority`, debt.priority)
    add(`debts[${i}].stage`, debt.stage)
  })
  for (const list of ['income', 'spending'] as const) {
    budget[list].forEach((line, i) => {
      add(`${list}[${i}].label`, line.label)
      add(`${list}[${i}].amount`, line.amount)
      add(`${list}[${i}].period`, line.period)
    })
  }
  budget.stated.forEach((total, i) => {
    add(`stated[${i}].${total.about}`, total.amount)
    add(`stated[${i}].period`, total.period)
  })
  options.forEach((option, i) => {
    add(`options[${i}].option`, { value: option.code, span: option.named.span })
    if (option.because != null) add(`options[${i}].status`, { value: option.status, span: option.because })
    for (const remark of option.remarks) quote(`options[${i}].remark`, remark)
  })
  add('decision.option', decision?.option)
  add('decision.status', decision?.status)
  if (decision != null) quote('decision.remark', decision.remark)
  tasks.forEach((task, i) => {
    quote(`tasks[${i}].what`, task.what)
    add(`tasks[${i}].when`, task.when)
  })
  deadlines.forEach((deadline, i) => {
    for (const when of deadline.whens) add(`deadlines[${i}].when`, when)
    quote(`deadlines[${i}].what`, deadline.what)
  })
  for (const name of [
    'problem',
    'circumstances',
    'reasons',
    'consequences',
    'documents',
    'referrals',
    'consent'
  ] as const) {
    for (const span of passages[name]) quote(name, span)
  }
  return facts
}
