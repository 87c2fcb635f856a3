import { type Operation, PROTOCOLS, type ServiceContract, TIERS } from '../contract/index.ts'
import { MAX_CHAIN_LENGTH } from '../membership/constants.ts'
import {
  Advert as WireAdvert,
  type ServiceContract as WireContract,
  Goodbye as WireGoodbye,
  type Operation as WireOperation
} from '../proto/gen/hedgerow.pb.ts'
import { checkList, checkName, checkNumber, checkOneOf, checkText, InvalidMessage } from '../statement/checks.ts'
import { MAX_VOUCH_SIZE } from '../vouch/constants.ts'
import {
  type Advert,
  type Capabilities,
  ENTRY_KINDS,
  type EntryPoint,
  type Goodbye,
  MAX_ADDRS,
  MAX_ENTRIES,
  MAX_RESOURCES,
  MAX_SERVICES,
  ROLES,
  type ServiceOffer
} from './index.ts'

const MAX_TEXT = 200
const MAX_ALIASES = 16
const MAX_OPERATIONS = 64
const MAX_GPUS = 16
const MAX_CORES = 4096
/** 16 TiB in MiB */
const MAX_MIB = 16 * 1024 * 1024
const MAX_REPLICAS = 1000
const MAX_CONCURRENCY = 10_000
/** a day, in milliseconds */
const MAX_TIMEOUT = 24 * 60 * 60_000
/** 1 TiB */
const MAX_BODY = 1024 ** 4
/** of a contract that names none, as those written before there was a choice */
const DEFAULT_PROTOCOL = 'http'
const METHOD = /^([A-Z]{1,16}|\*)$/

export function encodeAdvert(advert: Advert): Uint8Array {
  return WireAdvert.encode({
    ...advert,
    url: advert.url ?? '',
    credential: advert.credential ?? '',
    entries: advert.entries ?? [],
    services: advert.services.map(({ contract, resources }) => ({
      resources,
      contract: {
        ...contract,
        protocol: contract.protocol === DEFAULT_PROTOCOL ? '' : contract.protocol,
        stateKey: contract.stateKey ?? '',
        dataClass: contract.dataClass ?? '',
        operations: contract.operations.map(operation => ({ ...operation, bodyLimit: BigInt(operation.bodyLimit) }))
      }
    }))
  }).finish()
}

/** @param peerId the envelope's signer @throws {InvalidMessage} */
export function decodeAdvert(bytes: Uint8Array, peerId: string): Advert {
  const wire = WireAdvert.decode(bytes)
  const advert: Advert = {
    peerId,
    sequence: wire.sequence,
    role: checkOneOf('role', wire.role, ROLES),
    name: checkText('name', wire.name, MAX_TEXT),
    version: checkText('version', wire.version, MAX_TEXT),
    addrs: checkList('addrs', wire.addrs, MAX_ADDRS, (addr, field) => checkText(field, addr, 512)),
    capabilities: decodeCapabilities(wire.capabilities),
    services: checkList('services', wire.services, MAX_SERVICES, ({ contract, resources }, field): ServiceOffer => {
      if (contract == null) throw new InvalidMessage(`${field}.contract is missing`)
      return {
        contract: decodeContract(contract, field),
        resources: checkList(`${field}.resources`, resources, MAX_RESOURCES, (resource, at) =>
          checkText(at, resource, MAX_TEXT)
        )
      }
    }),
    eligible: checkList('eligible', wire.eligible, MAX_SERVICES, (name, field) => checkName(field, name))
  }
  if (wire.credential !== '') advert.credential = checkText('credential', wire.credential, MAX_CHAIN_LENGTH)
  if (wire.entries.length > 0) advert.entries = checkList('entries', wire.entries, MAX_ENTRIES, decodeEntry)
  if (wire.url !== '') advert.url = checkUrl(wire.url)
  return advert
}

export function encodeGoodbye({ sequence }: Goodbye): Uint8Array {
  return WireGoodbye.encode({ sequence }).finish()
}

export function decodeGoodbye(bytes: Uint8Array, peerId: string): Goodbye {
  return { peerId, sequence: WireGoodbye.decode(bytes).sequence }
}

function decodeEntry(
  { kind, addr, vouch }: { kind: string; addr: string; vouch: Uint8Array },
  field: string
): EntryPoint {
  if (vouch.byteLength > MAX_VOUCH_SIZE) throw new InvalidMessage(`${field}.vouch is too long`)
  return {
    kind: checkOneOf(`${field}.kind`, kind, ENTRY_KINDS),
    addr: checkText(`${field}.addr`, addr, MAX_TEXT),
    vouch
  }
}

function checkUrl(value: string): string {
  const url = URL.parse(checkText('url', value, MAX_TEXT))
  if (url == null || (url.protocol !== 'https:' && url.protocol !== 'http:'))
    throw new InvalidMessage('url is not an http(s) URL')
  return value
}

function decodeCapabilities(wire: Partial<Capabilities> | undefined): Capabilities {
  return {
    cores: checkNumber('capabilities.cores', wire?.cores ?? 0, 0, MAX_CORES),
    memory: checkNumber('capabilities.memory', wire?.memory ?? 0, 0, MAX_MIB),
    disk: checkNumber('capabilities.disk', wire?.disk ?? 0, 0, MAX_MIB),
    gpus: checkList('capabilities.gpus', wire?.gpus ?? [], MAX_GPUS, ({ model, memory }, field) => ({
      model: checkText(`${field}.model`, model, MAX_TEXT),
      memory: checkNumber(`${field}.memory`, memory, 0, MAX_MIB)
    })),
    arch: checkText('capabilities.arch', wire?.arch ?? '', 32),
    platform: checkText('capabilities.platform', wire?.platform ?? '', 32)
  }
}

function decodeContract(wire: WireContract, field: string): ServiceContract {
  const contract: ServiceContract = {
    name: checkName(`${field}.name`, wire.name),
    version: checkText(`${field}.version`, wire.version, MAX_TEXT),
    title: checkText(`${field}.title`, wire.title, MAX_TEXT),
    aliases: checkList(`${field}.aliases`, wire.aliases, MAX_ALIASES, (alias, at) => checkName(at, alias)),
    protocol: checkOneOf(`${field}.protocol`, wire.protocol || DEFAULT_PROTOCOL, PROTOCOLS),
    tier: checkOneOf(`${field}.tier`, wire.tier, TIERS),
    replicas: checkNumber(`${field}.replicas`, wire.replicas, 0, MAX_REPLICAS),
    concurrency: checkNumber(`${field}.concurrency`, wire.concurrency, 1, MAX_CONCURRENCY),
    operations: checkList(`${field}.operations`, wire.operations, MAX_OPERATIONS, decodeOperation)
  }
  if (contract.protocol === 'tcp' && contract.operations.length > 0)
    throw new InvalidMessage(`${field}.operations are of no use to a service that speaks TCP`)
  if (wire.dataClass !== '') contract.dataClass = checkName(`${field}.dataClass`, wire.dataClass)
  if (wire.stateKey !== '') contract.stateKey = checkName(`${field}.stateKey`, wire.stateKey)
  return contract
}

function decodeOperation(wire: WireOperation, field: string): Operation {
  if (!METHOD.test(wire.method)) throw new InvalidMessage(`${field}.method is not an HTTP method`)
  if (!wire.path.startsWith('/')) throw new InvalidMessage(`${field}.path does not start with /`)
  return {
    method: wire.method,
    path: checkText(`${field}.path`, wire.path, MAX_TEXT),
    main: wire.main,
    idempotent: wire.idempotent,
    internal: wire.internal,
    firstByteTimeout: checkNumber(`${field}.firstByteTimeout`, wire.firstByteTimeout, 1, MAX_TIMEOUT),
    chunkTimeout: checkNumber(`${field}.chunkTimeout`, wire.chunkTimeout, 1, MAX_TIMEOUT),
    bodyLimit: checkNumber(`${field}.bodyLimit`, Number(wire.bodyLimit), 0, MAX_BODY)
  }
}
