/** The words that organisations' names are made of, and those that end or never begin one. All are folded. */

const set = (words: string): ReadonlySet<string> => new Set(words.split(/\s+/))

/** legal forms: whatever stands before them is an organisation */
export const LEGAL = set('ltd limited plc llp lp cic inc llc co')
/** what organisations call themselves; the word before says which one */
export const HEADS = set(
  'council bank finance financial recoveries collections housing homes water energy insurance mortgages holdings law legal society association trust university college school academy ' +
    'hospital surgery practice services group capital loans telecom lettings estates properties motors cars parking enforcement partnership agency charity foundation church mosque temple ' +
    'foodbank care cleaning cleaners logistics recruitment stores supermarket nursery police ombudsman advice centre commission ministry department office service tribunal union nails ' +
    'bailiffs debt recovery credit money media mobile broadband communications networks systems solutions associates partners consultants accountants enterprises industries ' +
    'engineering foods bakery restaurant catering taxis transport haulage couriers construction builders plumbing security pharmacy dental opticians solicitors solicitor steelworks ' +
    'factory direct international uk court courts lending leasing motor gas electric electricity power utilities clinic hotel tv pay factors garage store cash bureau federation project hub ' +
    'pawnbrokers pawnbroker board shipyard kitchens windows carpets furnishings nursery bookmakers brewery farm dairy stables bus buses coaches airways airlines railway trains investments management parts rentals factors auctions retail fashions furniture bedding catalogue club network kitchen cafe'
)
/** heads that are only one with the right word before: a court is more often a street */
export const QUALIFIED: Record<string, ReadonlySet<string>> = {
  court: set('county magistrates magistrate crown combined sheriff family high tribunal sessions law'),
  courts: set('county magistrates crown combined law'),
  centre: set(
    'advice community health medical family law business justice court care support contact distribution debt'
  ),
  office: set('home post law sorting ombudsman'),
  service: set('service advice ambulance maintenance insolvency probation pension support health youth'),
  club: set('football working social boys youth money morses book'),
  hub: set('community advice family'),
  project: set('advice community support')
}
/** heads that only count as part of a longer name that the lists or a legal form vouch for */
export const WEAK_HEADS = set(
  'care credit money direct uk mobile international cars pay cash power legal advice court courts school motor debt parts factory gas electric tv trust law recovery water store service office management network kitchen'
)
/** between the words of a name */
export const LINKS = set('of and for the upon')
/** before "Council": then it is one, whatever follows */
export const CIVIC = set('city county borough district metropolitan')
/** words with a capital that end a name to their right */
export const STOPS = set(
  'mr mrs ms miss dr dear the a an our your my his her their from to by with creditor claimant employer landlord ref re and or in at for we you they it this that these those when if'
)
export const OPENERS = set(
  'when while because although since if as then also both against contact call ring pay please write owes owed owe client is was has two three four letter letters bill invoice statement rent loan card debt'
)

/** what a thing, not a firm, is called with capitals: "a Debt Relief Order" */
export const THINGS = set(
  'act benefit benefits credit tax allowance allowances payment payments order orders scheme support discount space agreement statement notice protocol form report rights ' +
    'claim claims review assessment account card loan debit arrangement claimant defendant regulations rules bill licence insurance pension grant judgment ' +
    'appeal hearing certificate warrant control settlement moratorium file score plan statements enquiries advisor adviser officer manager department government day days year christmas'
)
