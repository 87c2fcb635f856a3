import type { Advert, ServiceOffer } from '@hedgerow/protocols/advert'
import type { Operation } from '@hedgerow/protocols/contract'

/** An advert as the API shows it: in snake_case, the sequence in digits because JSON's numbers are too small for it. */
export function advertJson(advert: Advert): object {
  return {
    peer_id: advert.peerId,
    sequence: advert.sequence.toString(),
    role: advert.role,
    name: advert.name,
    version: advert.version,
    addrs: advert.addrs,
    url: advert.url ?? null,
    capabilities: advert.capabilities,
    services: advert.services.map(offerJson),
    eligible: advert.eligible
  }
}

function offerJson({ contract, resources }: ServiceOffer): object {
  const { name, version, title, aliases, protocol, tier, replicas, concurrency, stateKey, operations } = contract
  return {
    name,
    version,
    title,
    aliases,
    protocol,
    tier,
    replicas,
    concurrency,
    state_key: stateKey ?? null,
    resources,
    operations: operations.map(operationJson)
  }
}

function operationJson(operation: Operation): object {
  const { method, path, main, idempotent, internal, firstByteTimeout, chunkTimeout, bodyLimit } = operation
  return {
    method,
    path,
    main,
    idempotent,
    internal,
    first_byte_timeout_ms: firstByteTimeout,
    chunk_timeout_ms: chunkTimeout,
    body_limit: bodyLimit
  }
}
