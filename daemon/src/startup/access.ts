import { type AccessSettings, isLocalHost, type KeyRecord, readKeys } from '../access/index.ts'
import { ConfigError, type PeerSettings } from '../config/index.ts'

/**
 * Who may call, from the settings.
 *
 * @throws {ConfigError} also where nobody could: a listener that is reached from elsewhere needs callers who are known
 */
export async function accessOf(settings: PeerSettings, dataDir: string): Promise<AccessSettings> {
  const { httpHost, httpOpen, oidcIssuer, oidcAudience, oidcRights, trustedProxies, addressRate } = settings
  if (oidcIssuer != null && oidcAudience == null)
    throw new ConfigError(
      'HEDGEROW_OIDC_AUDIENCE',
      'it must say what tokens of HEDGEROW_OIDC_ISSUER are issued for: a token for anything else would be taken too'
    )
  const keys = await readKeys(dataDir).catch(err => {
    throw new ConfigError('HEDGEROW_DATA_DIR', err.message)
  })
  if (!isLocalHost(httpHost) && !httpOpen && oidcIssuer == null && !keys.some(isGood))
    throw new ConfigError(
      'HEDGEROW_HTTP_HOST',
      `${httpHost} is reached from elsewhere, and nobody has a key: make one with \`hedgerow key create <name> --data-dir ${dataDir}\`, or name an OIDC issuer (HEDGEROW_OIDC_ISSUER); for trying out, HEDGEROW_HTTP_OPEN=true lets everybody in`
    )
  return {
    open: httpOpen,
    trustedProxies,
    addressRate: { perSecond: addressRate, burst: 2 * addressRate },
    ...(oidcIssuer == null || oidcAudience == null
      ? {}
      : { oidc: { issuer: oidcIssuer, audience: oidcAudience, grants: oidcRights } })
  }
}

function isGood({ revoked, expires }: KeyRecord): boolean {
  return revoked == null && (expires == null || Date.parse(expires) > Date.now())
}
