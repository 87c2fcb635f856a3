/** The service that is measured through everything else: reads a JSON body, answers one of the same size. */
import { createServer } from 'node:http'

const server = createServer({ keepAliveTimeout: 120_000 }, (request, response) => {
  const chunks: Buffer[] = []
  request.on('data', chunk => chunks.push(chunk))
  request.on('end', () => {
    const body = Buffer.concat(chunks)
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': body.length }).end(body)
  })
})
server.listen(Number(process.env.PORT), '127.0.0.1')
