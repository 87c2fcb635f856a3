export type WarningCode =
  | 'TotalDiffers'
  | 'RepeatedDebt'
  | 'PriorityDiffers'
  | 'PeriodAssumed'
  | 'OptionNotInNation'
  | 'NameDiffers'
  | 'WordingUnconfirmed'
  | 'NothingFound'
  | 'RephraseUnavailable'
  | 'RephraseRefused'

/** Something that the adviser should look at; the letter stands as it is. */
export interface Warning {
  code: WarningCode
  detail: string
}
