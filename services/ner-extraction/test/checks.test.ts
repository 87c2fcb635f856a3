import assert from 'node:assert/strict'
import { isCardNumber, isIban, isMpan, isNino, isPostcode, isUkPhone, isUtr } from '../src/checks.ts'

function table(check: (value: string) => boolean, right: string[], wrong: string[]): void {
  for (const value of right) assert.equal(check(value), true, value)
  for (const value of wrong) assert.equal(check(value), false, value)
}

describe('check digits and validity', () => {
  it('knows payment cards by Luhn', () => {
    table(
      isCardNumber,
      ['4111111111111111', '4539148803436467', '378282246310005', '5555555555554444'],
      [
        '4111111111111112',
        '4539148803436476',
        '0000000000000000',
        '1111111111111117',
        '41111111',
        '41111111111111111111111'
      ]
    )
  })

  it('knows IBANs by mod 97 and the British ones by their length', () => {
    table(
      isIban,
      ['GB29 NWBK 6016 1331 9268 19', 'DE89370400440532013000'],
      ['GB29NWBK60161331926818', 'GB29NWBK601613319268', 'XX', '']
    )
  })

  it('knows taxpayer references and meter points by their check digits', () => {
    table(isUtr, ['1955839661'], ['1955839662', '2955839661', '195583966'])
    table(isMpan, ['1200023305967'], ['1200023305968', '120002330596'])
  })

  it('refuses the prefixes and letters that National Insurance numbers never have', () => {
    table(
      isNino,
      ['AB123456C', 'JK482193B', 'PW730588A', 'AB123456'],
      [
        'BG123456A',
        'GB123456A',
        'KN123456A',
        'NK123456A',
        'NT123456A',
        'TN123456A',
        'ZZ123456A',
        'DA123456A',
        'FA123456A',
        'IA123456A'
      ]
    )
    table(isNino, [], ['QQ123456C', 'UA123456A', 'VA123456A', 'AO123456A', 'AB123456E', 'AB12345C', 'ab123456c'])
  })

  it('refuses postcodes of areas that do not exist and with letters that are not used', () => {
    table(
      isPostcode,
      ['SW1A 1AA', 'M1 1AE', 'B33 8TH', 'CR2 6XH', 'DN55 1PT', 'EC1A 1BB', 'W1A 0AX', 'BT12 4PD', 'SN38 2TW'],
      ['ZZ1 1AA', 'SW1A 1AC', 'SW1A 1AI', 'SW1A1AA', 'S1 1', 'QA1 1AA', 'SW1AA 1AA']
    )
  })

  it('knows British telephone numbers by prefix and length', () => {
    table(
      isUkPhone,
      [
        '02079460958',
        '01614960772',
        '07700900123',
        '08081570192',
        '03305555550',
        '0800916064',
        '08009160647',
        '01632960222'
      ],
      ['0207946095', '06123456789', '01234', '077009001234', '04123456789', '12345678901', '0800']
    )
  })
})
