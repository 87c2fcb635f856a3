/** What the images are asked for their health by: exit 0 when the peer in this container says that it is healthy. */
const url = `http://127.0.0.1:${process.env.HEDGEROW_HTTP_PORT}/health`
try {
  const response = await fetch(url, { signal: AbortSignal.timeout(4000) })
  const { status } = await response.json()
  console.log(`${url}: ${status}`)
  // Not process.exit(): it would cut off the line.
  process.exitCode = response.ok ? 0 : 1
} catch (err) {
  console.log(`${url}: ${err.cause?.message ?? err.message}`)
  process.exitCode = 1
}
