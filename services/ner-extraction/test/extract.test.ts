import assert from 'node:assert/strict'
import { fold } from '../src/fold.ts'
import { NAMES } from '../src/names/lists.ts'
import { isOrdinary } from '../src/words.ts'
import { extractor, found } from './shared.ts'

describe('sums of money', () => {
  const cases: Record<string, string> = {
    '£1,234.56': 'GBP 1234.56',
    '£1.2k': 'GBP 1200.00',
    '1,234.56 pounds': 'GBP 1234.56',
    'two hundred pounds': 'GBP 200.00',
    'one thousand two hundred and fifty pounds': 'GBP 1250.00',
    'three and a half thousand pounds': 'GBP 3500.00',
    'fifty quid': 'GBP 50.00',
    'two grand': 'GBP 2000.00',
    '45p': 'GBP 0.45',
    '£12 million': 'GBP 12000000.00',
    '£l,2O4.5O': 'GBP 1204.50',
    '€200': 'EUR 200.00',
    'GBP 340.00': 'GBP 340.00'
  }
  for (const [written, value] of Object.entries(cases)) {
    it(`reads ${written}`, () => {
      const money = extractor.extract(`She paid ${written} last week.`).filter(({ type }) => type === 'MONEY')
      assert.deepEqual(
        money.map(({ text, normalized }) => ({ text, normalized })),
        [{ text: written, normalized: value }]
      )
    })
  }

  it('leaves the period off', () => {
    assert.deepEqual(found('Rent is £45 pw and £195pcm'), ['MONEY £45', 'MONEY £195'])
  })

  it('takes bare figures for money where a label or a creditor says so, and not elsewhere', () => {
    assert.deepEqual(found('Balance: 1,065.00'), ['MONEY 1,065.00'])
    assert.deepEqual(found('cl owes lowell 450 and cabot 1,290'), [
      'ORG lowell',
      'MONEY 450',
      'ORG cabot',
      'MONEY 1,290'
    ])
    assert.deepEqual(found('There were 450 people in room 12 for 3 hours at 29.9% APR.'), [])
  })
})

describe('dates', () => {
  const cases: Record<string, string> = {
    '14 March 2024': '2024-03-14',
    '14th of March, 2024': '2024-03-14',
    'Thursday 14 March 2024': '2024-03-14',
    '14/03/24': '2024-03-14',
    '14.3.2024': '2024-03-14',
    '14-MAR-2024': '2024-03-14',
    '2024-03-14': '2024-03-14',
    'March 14, 2024': '2024-03-14',
    'l4 March 2O24': '2024-03-14',
    '3rd Decernber 2024': '2024-12-03',
    'March 2024': '2024-03',
    '03/2024': '2024-03',
    '14 March': '--03-14',
    '2023/24': '2023/2024'
  }
  for (const [written, value] of Object.entries(cases)) {
    it(`reads ${written}`, () => {
      const dates = extractor
        .extract(`The account was closed on ${written} by the bank.`)
        .filter(({ type }) => type === 'DATE')
      assert.deepEqual(
        dates.map(({ text, normalized }) => ({ text, normalized })),
        [{ text: written, normalized: value }]
      )
    })
  }

  it('refuses days that no calendar has', () => {
    for (const written of ['31/02/2024', '32/01/2024', '00/01/2024', '31 April 2024'])
      assert.deepEqual(
        found(`closed ${written}`).filter(entity => entity === `DATE ${written}`),
        [],
        written
      )
  })

  it('does not take words, fractions and opening hours for dates', () => {
    assert.deepEqual(found('You may march on. 1/3 paid, 24/7 helpline, second of two, 9 to 5.'), [])
  })
})

describe('numbers and contacts', () => {
  it('tells sort codes, accounts, cards and references apart', () => {
    const text =
      'Sort code 20-45-67, account 73849201. Card 4111 1111 1111 1111. IBAN GB29 NWBK 6016 1331 9268 19. Claim no. K4QZ71V2. Our ref: DR-88204-19. UTR 1955839661'
    assert.deepEqual(
      extractor.extract(text).map(({ kind, text }) => [kind, text]),
      [
        ['sort_code', '20-45-67'],
        ['account', '73849201'],
        ['card', '4111 1111 1111 1111'],
        ['iban', 'GB29 NWBK 6016 1331 9268 19'],
        ['claim', 'K4QZ71V2'],
        ['reference', 'DR-88204-19'],
        ['utr', '1955839661']
      ]
    )
  })

  it('takes neither company numbers nor house numbers for accounts', () => {
    assert.deepEqual(
      found(
        'Registered in England No. 02558509. Authorised by the Financial Conduct Authority (reference number 677910).'
      ).filter(entity => entity.startsWith('ACCOUNT')),
      []
    )
  })

  it('gives telephone numbers in one form', () => {
    const numbers = ['020 7946 0958', '(020) 7946 0958', '+44 20 7946 0958', '+44 (0)20 7946 0958', '02079460958']
    for (const number of numbers)
      assert.deepEqual(
        extractor.extract(`Tel: ${number}.`).map(({ normalized }) => normalized),
        ['+442079460958'],
        number
      )
  })

  it('finds National Insurance numbers with and without spaces, and refuses unused prefixes', () => {
    assert.deepEqual(found('NI JK 48 21 93 B'), ['NINO JK 48 21 93 B'])
    assert.deepEqual(found('NINO: jk482193b'), ['NINO jk482193b'])
    assert.deepEqual(
      found('NI BG 48 21 93 B').filter(entity => entity.startsWith('NINO')),
      []
    )
  })

  it('reads postcodes that recognition has blurred', () => {
    assert.deepEqual(extractor.extract('Wrexham LLl3 7AA').at(-1)?.normalized, 'LL13 7AA')
    assert.deepEqual(extractor.extract('Handsworth B19 lAS').at(-1)?.normalized, 'B19 1AS')
  })

  it('finds nothing inside web addresses', () => {
    assert.deepEqual(found('see https://example.org/ref/12345678?d=2024-01-02 and www.example.com/Leeds/London'), [])
  })
})

describe('organisations', () => {
  it('finds creditors whose name is a word, where the sentence shows that they are meant', () => {
    assert.deepEqual(found('She owes Next £400. Next we looked at Very and Three.'), [
      'ORG Next',
      'MONEY £400',
      'ORG Very',
      'ORG Three'
    ])
    assert.deepEqual(
      found('Three copies are very important. Next week the sky was orange; together they link arms.'),
      []
    )
  })

  it('keeps the bank and the town of one name apart', () => {
    assert.deepEqual(found('A debt to Halifax, incurred in Halifax.'), ['ORG Halifax', 'PLACE Halifax'])
  })

  it('keeps the firm and the person of one name apart', () => {
    assert.deepEqual(found('A man from Jacobs asked for Jacob.'), ['ORG Jacobs', 'PERSON Jacob'])
    assert.deepEqual(found('Mr Jacobs was told by Mark Reed that Marston had his car.'), [
      'PERSON Jacobs',
      'PERSON Mark Reed',
      'ORG Marston'
    ])
  })

  it('gives the usual name of a creditor however it is written', () => {
    for (const written of ['british gas', 'BRITISH GAS', 'Bri tish Gas', 'British\nGas', 'Brit1sh Gas'])
      assert.equal(extractor.extract(`She owes ${written} £40`)[0]?.normalized, 'British Gas', written)
  })

  it('finds organisations that no list has by what they call themselves', () => {
    for (const name of [
      'Quenby Marsh Recoveries Ltd',
      'Tarn Hows Credit Union',
      'Ellerbeck Housing Association',
      "Wibsey Magistrates' Court"
    ])
      assert.deepEqual(found(`The letter came from ${name} today.`), [`ORG ${name}`])
  })

  it('does not take headings for organisations', () => {
    assert.deepEqual(
      found('Council Tax Summons\nHousing Benefit Overpayment\nWater Rates\nCredit Card Debt\nMonthly Income'),
      []
    )
  })
})

describe('people', () => {
  // of many origins, and none in the lists, which the test checks
  const UNLISTED = [
    'Wirginiusz Trzeciakowski',
    'Ziemowit Grzeszczak',
    'Bolesława Mierzejewska',
    'Ilinca Vlădoianu',
    'Răzvana Șerbănoiu',
    'Oluwapelumi Akinfolarin',
    'Chukwunonso Anozieuwa',
    'Ebubechukwu Nwadiogbu',
    'Kwadjo Ofosuhene',
    'Abdinasser Geeleh',
    'Xaawiyo Warsangeli',
    'Saharla Cawaale',
    'Habtemichael Woldegebriel',
    'Ngozichukwu Ezenwachi',
    'Tinevimbo Chikwanda',
    'Rumbidzaishe Mudzengerere',
    'Senthilnathan Ponnusamy',
    'Thevarasa Kanapathipillai',
    'Gurkirpal Bhandohal',
    'Harsimrat Thiara',
    'Mehwashat Chaudhrani',
    'Zarmeena Khattaki',
    'Noorulain Siddiquie',
    'Khuloud Alhamdani',
    'Moayad Aljubouri',
    'Rojîn Demirtaşoğlu',
    'Gülsüme Karabıyıkoğlu',
    'Gwenfron Prydderchwen',
    'Llinosfa Gwyndafydd',
    'Muireannach Gallchobhair',
    'Sorchadh Mhurchadha',
    'Vaidilutė Žemaitytė',
    'Skirmantas Gudavičius',
    'Dzintars Kalējiņš',
    'Desislavka Hadzhipetkova',
    'Yaroslava Horodetska',
    'Bohdanna Skoropadska',
    'Tszching Lamwong',
    'Phuocthien Luongba',
    'Ligaya Macaraegdizon'
  ]
  const unlisted = UNLISTED.map(name => name.split(' ')).filter(parts =>
    parts.every(part => !NAMES.given.has(fold(part)) && !NAMES.surname.has(fold(part)) && !isOrdinary(fold(part)))
  )
  const carriers: ((name: string, last: string) => [string, string])[] = [
    (_name, last) => [`Dear Ms ${last}, thank you for your letter.`, last],
    name => [`Client: ${name}\nDOB: 03/04/1980`, name],
    name => [`I spoke to ${name} this morning about the arrears.`, name],
    name => [`${name} owes Lowell £450 and lives alone.`, name],
    name => [`The agreement was signed by ${name}, who works nights.`, name]
  ]

  it('finds names that no list has, of many origins, by how they are spelt and what stands beside them', () => {
    assert.ok(unlisted.length >= 35, `${unlisted.length} names are in no list`)
    let right = 0
    for (const parts of unlisted) {
      for (const carrier of carriers) {
        const [text, name] = carrier(parts.join(' '), parts.at(-1) ?? '')
        if (found(text).includes(`PERSON ${name}`)) right++
      }
    }
    const share = right / (unlisted.length * carriers.length)
    assert.ok(share >= 0.93, `found ${(share * 100).toFixed(1)} %`)
  })

  it('takes particles, hyphens and initials into names', () => {
    for (const name of [
      'Maire Ní Dhomhnaill',
      'Marwan Al-Shami',
      'Owain ap Rhys',
      'Maria de Fátima Gonçalves',
      'J. P. Ashworth',
      'Ludwig van der Merwe',
      "Niamh O'Rourke"
    ])
      assert.deepEqual(found(`I wrote to Mr ${name} today.`), [`PERSON ${name}`])
  })

  it('finds the couple in Mr and Mrs', () => {
    assert.deepEqual(found('Dear Mr and Mrs Przybylski'), ['PERSON Przybylski'])
  })

  it('tells names that are words from the words', () => {
    assert.deepEqual(found('Grant asked about a grant and Will Young will pay.'), ['PERSON Grant', 'PERSON Will Young'])
    assert.deepEqual(found('The bill will come in. May need a grant. Mark it as urgent. Faith and hope.'), [])
  })
})

describe('places', () => {
  it('finds streets with their numbers, towns, and towns that no list has before a postcode', () => {
    assert.deepEqual(found('12 Beeston Hill, Upper Snodsbury, LS11 8ND'), [
      'PLACE 12 Beeston Hill',
      'PLACE Upper Snodsbury',
      'POSTCODE LS11 8ND'
    ])
    assert.deepEqual(found('Flat 3, 14 Acacia Avenue\nReading\nRG1 5NH'), [
      'PLACE Flat 3, 14 Acacia Avenue',
      'PLACE Reading',
      'POSTCODE RG1 5NH'
    ])
  })

  it('does not take words for the towns of that name', () => {
    assert.deepEqual(found('Reading the letter, she saw the sale was off. Bath and deal with it.'), [])
  })
})

describe('a text of several segments', () => {
  it('finds the same entities as the parts have, at their places in the whole', () => {
    const paragraph = 'Mrs Okafor owes Lowell £450 since 14 March 2024 and lives at 9 Station Road, Leeds LS6 2AB.\n\n'
    const text = paragraph.repeat(600)
    const entities = extractor.extract(text)
    assert.equal(entities.length, 600 * found(paragraph).length)
    for (const { start, end, text: own } of entities) assert.equal(text.slice(start, end), own)
  })
})
