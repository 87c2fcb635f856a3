import type { ServiceOffer } from '../advert/index.ts'
import type { ServiceContract } from '../contract/index.ts'
import { maySee, stricter } from '../data-class/index.ts'
import { MAX_SERVICE_NAMES, SERVICE_MEMORY } from './constants.ts'
import { extendContract, newestContract } from './contracts.ts'

interface KnownService {
  shipped?: ServiceContract
  /** by peer id, in the order in which they were first seen */
  offers: Map<string, ServiceOffer>
  /** by peer id: the class of data that it says requests have, where it may see that itself */
  classes: Map<string, string>
  /** what the last worker said before it went */
  remembered?: ServiceContract
  /** when it was last offered */
  seenAt: number
  /** derived from the fields above; undefined = to be derived again */
  contract?: ServiceContract
}

/** Which names mean which service, what each promises, and who offers it. */
export class ServiceDirectory {
  /** in the order in which they were first seen */
  private readonly known = new Map<string, KnownService>()
  private readonly now: () => number
  /** derived from `known`; undefined = to be derived again */
  private aliases?: Map<string, { service: string; shipped: boolean }>

  constructor(now: () => number) {
    this.now = now
  }

  ship(contract: ServiceContract): void {
    const service: KnownService = this.known.get(contract.name) ?? newService(-Infinity)
    service.shipped = contract
    service.contract = undefined
    this.known.set(contract.name, service)
    this.aliases = undefined
  }

  /** @param classes of data that the peer may see */
  offer(peerId: string, offer: ServiceOffer, classes: readonly string[]): void {
    const { name, dataClass } = offer.contract
    const service = this.known.get(name) ?? this.admit(name)
    if (service == null) return
    const before = service.contract
    service.offers.set(peerId, offer)
    if (dataClass != null && maySee(classes, dataClass)) service.classes.set(peerId, dataClass)
    else service.classes.delete(peerId)
    service.seenAt = this.now()
    service.contract = undefined
    // A renewed advert mostly says what the last one said: don't derive all aliases again for that.
    if (before == null || !sameList(before.aliases, contractOf(service)?.aliases)) this.aliases = undefined
  }

  withdraw(peerId: string, name: string): void {
    const service = this.known.get(name)
    if (service == null || !service.offers.has(peerId)) return
    service.remembered = contractOf(service)
    service.offers.delete(peerId)
    service.classes.delete(peerId)
    service.seenAt = this.now()
    service.contract = undefined
    this.aliases = undefined
  }

  /** by peer id */
  offers(name: string): ReadonlyMap<string, ServiceOffer> | undefined {
    return this.known.get(name)?.offers
  }

  /** A shipped name or alias means what it means here, whatever strangers call their services. */
  resolve(nameOrAlias: string): string | undefined {
    const service = this.known.get(nameOrAlias)
    if (service?.shipped != null) return nameOrAlias
    const alias = this.aliasMap().get(nameOrAlias)
    if (alias?.shipped === true) return alias.service
    if (service != null && this.isKnown(service)) return nameOrAlias
    const owner = alias && this.known.get(alias.service)
    return alias != null && owner != null && this.isKnown(owner) ? alias.service : undefined
  }

  contract(name: string): ServiceContract | undefined {
    const service = this.known.get(name)
    return service != null && this.isKnown(service) ? contractOf(service) : undefined
  }

  *contracts(): Iterable<ServiceContract> {
    for (const service of this.known.values()) {
      const contract = this.isKnown(service) ? contractOf(service) : undefined
      if (contract != null) yield contract
    }
  }

  sweep(): void {
    for (const [name, service] of this.known) {
      if (service.offers.size > 0 || this.isKnown(service)) continue
      this.known.delete(name)
      this.aliases = undefined
    }
  }

  private isKnown(service: KnownService): boolean {
    return service.shipped != null || this.now() - service.seenAt < SERVICE_MEMORY
  }

  /** Room for one more name: one that nobody offers any more makes way; undefined when all are offered. */
  private admit(name: string): KnownService | undefined {
    if (this.known.size >= MAX_SERVICE_NAMES) {
      const idle = Array.from(this.known).find(([, { shipped, offers }]) => shipped == null && offers.size === 0)
      if (idle == null) return undefined
      this.known.delete(idle[0])
      this.aliases = undefined
    }
    const service = newService(this.now())
    this.known.set(name, service)
    return service
  }

  private aliasMap(): Map<string, { service: string; shipped: boolean }> {
    if (this.aliases != null) return this.aliases
    this.aliases = new Map()
    for (const shipped of [true, false]) {
      for (const [service, known] of this.known) {
        if ((known.shipped != null) !== shipped) continue
        for (const alias of contractOf(known)?.aliases ?? []) {
          if (!this.aliases.has(alias)) this.aliases.set(alias, { service, shipped })
        }
      }
    }
    return this.aliases
  }
}

function contractOf(service: KnownService): ServiceContract | undefined {
  service.contract ??= deriveContract(service)
  return service.contract
}

function newService(seenAt: number): KnownService {
  return { offers: new Map(), classes: new Map(), seenAt }
}

/**
 * Of what doesn't ship with this peer the class of data is the strictest that workers say it is: with a greater version
 * nobody makes data of others less confidential.
 */
function deriveContract({ shipped, offers, classes, remembered }: KnownService): ServiceContract | undefined {
  const advertised = newestContract(Array.from(offers.values(), ({ contract }) => contract)) ?? remembered
  if (shipped != null) return extendContract(shipped, advertised)
  if (advertised == null || classes.size === 0) return advertised
  const dataClass = [...classes.values()].reduce<string | undefined>(stricter, advertised.dataClass)
  return dataClass == null || dataClass === advertised.dataClass ? advertised : { ...advertised, dataClass }
}

function sameList(a: string[], b: string[] | undefined): boolean {
  return b != null && a.length === b.length && a.every((item, i) => item === b[i])
}
