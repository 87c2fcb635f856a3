import type { Decoder } from '../index.ts'
import { DISCOVERY_DECODERS } from './discovery.ts'
import { FILE_DECODERS } from './files.ts'
import { FORWARD_DECODERS } from './forwards.ts'
import { HTTP_DECODERS } from './http.ts'
import { MEMBERSHIP_DECODERS } from './membership.ts'
import { STATEMENT_DECODERS } from './statements.ts'
import { STREAM_DECODERS } from './streams.ts'
import { STUN_DECODERS } from './stun.ts'

/** Every decoder of bytes that come from others. */
export const DECODERS: readonly Decoder[] = [
  ...STATEMENT_DECODERS,
  ...MEMBERSHIP_DECODERS,
  ...DISCOVERY_DECODERS,
  ...HTTP_DECODERS,
  ...STREAM_DECODERS,
  ...FORWARD_DECODERS,
  ...STUN_DECODERS,
  ...FILE_DECODERS
]
