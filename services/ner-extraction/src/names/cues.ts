import type { Token } from '../tokens.ts'
import { wordsBefore } from '../tokens.ts'

// The words beside a name that tell what it names. All are folded.

const set = (words: string): ReadonlySet<string> => new Set(words.split(/\s+/))

export const TITLES = set(
  'mr mrs ms miss mx dr dj ddj hhj rev revd reverend sir dame lady lord prof professor cllr councillor judge imam sgt mister messrs mr5 fr'
)
/** also ordinary words, so only with a capital and before a name: "Sister Bernadette" */
export const SOFT_TITLES = set('sister father brother nurse pc auntie uncle aunt')

/** people one speaks of as "his wife Emine", "our client, Rasa", and the labels that notes put before a name */
export const PERSON_LABELS = set(
  'client clients name names cl clt clnt partner ptnr ptr spouse wife husband husb hubby son daughter dau brother sister mother father mum dad mam uncle aunt auntie cousin nephew niece ' +
    'grandmother grandfather grandson granddaughter nan neighbour friend mate boyfriend girlfriend bf gf fiance fiancee ex landlord landlady ll tenant tenants ' +
    'tnt defendant debtor debtors employee adviser advisor caseworker solicitor surname forename forenames firstname guarantor gtr kids children child dependants ' +
    'complainant applicant respondent appellant patient carer resident occupier holder payee attn att fao signed officer supervisor trustee executor exec kin ip advised called ' +
    'rep sup adv rp np sw hv present apologies chair named told asked met interpreter worker stepson stepdaughter housemate lodger dependant bankrupt debtor addressee referrer agent contact manager cc from to re'
)
/** those of the labels that count without a colon or comma before the name: "wife Elena", "told Tuan" */
export const PERSON_LEADS = set(
  'client cl clt partner ptnr ptr wife husband husb son daughter dau brother sister mother father mum dad uncle aunt cousin nephew niece grandson granddaughter ' +
    'neighbour friend mate boyfriend girlfriend fiance fiancee ll guarantor gtr kids advised told asked met named called caseworker colleague landlord tenant defendant debtor ' +
    'interpreter stepson stepdaughter housemate lodger worker hello hi hiya dear'
)
export const PERSON_VERBS = set(
  'said says told tells asked asks thinks thought lives lived earns earned explained borrowed rang rings phoned called came comes went goes moved moves works worked ' +
    'runs ran fled grew cried receives received lost claims claimed feels felt suffers stopped lost speaks spoke knows knew marked turned needs need wants wanted owes owed ' +
    'pays paid has had is was does did will would can could cares started filled brought took takes lent sent signed lives attended attends agreed admitted denies disputes confirmed ' +
    'reports reported understands understood wishes wished hopes believes remembers noticed transferred sends gets got stays stayed rents rented left married separated died born who and'
)
/** of those, the ones that organisations rarely do */
export const ONLY_PERSON_VERBS = set(
  'got said says told thinks lives lived earns earned borrowed rang phoned came comes went moved works worked fled grew cried feels felt suffers speaks knows knew ' +
    'rents rented died born married asked explained marked attends attended noticed remembers cares stays stayed who'
)

/** before an organisation: "owes Lowell", "loan from Oakam" */
export const ORG_LEADS = set(
  'owes owe owed owing to from with by for at via of creditor creditors lender claimant employer employed bank supplier catalogue debt debts acc account loan and or re dca dmp iva company works worked landlord paid pays rang phoned contacted called wrote write telephoned rent ' +
    'call ring phone email contact chase chased chasing text asked told ask tell neither nor either w now formerly previously through because when if while although that as instructed against both plus non-prio prio agency firm'
)
/** the labels before an organisation: "Creditor: Perch Capital" */
export const ORG_LABELS = set(
  'creditor creditors claimant employer lender bank company supplier landlord ll provider organisation organisations original agency dca firm insurer pay payee with employed ' +
    'issuer freeholder charity gas elec electric energy water mobile phone broadband catalogue card loan overdraft'
)
/** after an organisation: "Sky bill", "Argos card" */
export const ORG_NOUNS = set(
  'account accounts acc a/c bill bills loan loans card cards debt debts overdraft od catalogue contract contracts letter letters credit arrears broadband tv phone mobile mortgage store ' +
    'customer app balance agent agents meter ppm direct dd policy insurance refund agreement repayments repayment warrant tariff supplier gas electric electricity energy factory shop ' +
    'payment payments statement bailiff bailiffs hp cc payday'
)
export const ORG_VERBS = set(
  'has have wants want wrote writes write sold bought instructed issued agreed chasing chase threatens threatening closed took takes says say put applied stopped send sends sent says is are ' +
    'clamped visited charged raised refused accepted rejected passed bought lent lends offered offer will would may and'
)
/** before a place: "lives in Corby" */
export const PLACE_LEADS = set('in near around outside across throughout towards within')
export const PLACE_WEAK_LEADS = set('to from at of fled visit visiting left via')
export const PLACE_LABELS = set(
  'address add addr site town city district area place location office home born property residence birthplace county country nat nationality'
)

/** What stands right before a name, and how: after a colon, a comma, or only a space. */
export interface Lead {
  word: string
  before: string
  /** `Client: `, `cl = `, `Name    ` */
  labelled: boolean
  /** `her husband, ` */
  apart: boolean
}

const LABEL_GAP = /^(?:[ \t]{0,4}(?:\([^)\n]{0,12}\))?[ \t]{0,2}[:=][ \t]{0,24}|\t+| {2,}|[ \t]{0,2}[-–][ \t]{0,2})$/

export function leadOf(tokens: Token[], index: number): Lead {
  const [word = '', before = ''] = wordsBefore(tokens, index, 2)
  const gap = tokens[index]?.gap ?? ''
  return { word, before, labelled: word !== '' && LABEL_GAP.test(gap), apart: /^(?:, |,| ?\( ?|['’]s |\) )$/.test(gap) }
}

/** The next word of the same clause, if only a space or a possessive parts them. */
export function wordAfter(tokens: Token[], index: number): string {
  const next = tokens[index + 1]
  return next != null && /^ {1,2}$/.test(next.gap) ? next.folded : ''
}
