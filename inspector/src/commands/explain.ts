import type { Explanation, MeshSource } from '../source/index.ts'

export interface ExplainReport extends Explanation {
  /** of every peer in it, as far as they are known */
  names: Record<string, string>
}

export async function explainRequest(
  source: MeshSource,
  requestId: string,
  signal: AbortSignal
): Promise<ExplainReport> {
  const [explanation, peers] = await Promise.all([
    source.explain(requestId, signal),
    source.names(signal).catch(() => [])
  ])
  const involved = new Set([...explanation.candidates, ...explanation.attempts].map(({ peer_id }) => peer_id))
  return {
    ...explanation,
    names: Object.fromEntries(
      peers.filter(({ peer_id }) => involved.has(peer_id)).map(({ peer_id, name }) => [peer_id, name])
    )
  }
}
