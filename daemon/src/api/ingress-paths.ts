import { PROBLEM_TYPE } from '@hedgerow/protocols/errors'
import { EXPOSED_HEADERS } from '@hedgerow/protocols/ingress'

const string = { type: 'string' }
const service = { name: 'service', in: 'path', required: true, description: 'a name or an alias', schema: string }
const path = { name: 'path', in: 'path', required: true, description: "below the service's root", schema: string }
const header = (name: string, description: string, type = 'string'): object => ({
  name,
  in: 'header',
  description,
  schema: { type }
})
const HEADERS = [
  header('Hedgerow-Timeout', 'seconds to wait for the answer', 'number'),
  header('Hedgerow-Worker', 'only this peer'),
  header('Hedgerow-Resource', 'only workers that hold this'),
  header('Idempotency-Key', 'repeating this request does no harm')
]
const RESPONSES = {
  '2XX': {
    description: "the service's own answer",
    headers: Object.fromEntries(EXPOSED_HEADERS.map(name => [name, { schema: string }]))
  },
  default: { description: 'an error of the mesh', content: { [PROBLEM_TYPE]: { schema: { type: 'object' } } } }
}

const body = (example: object): object => ({
  'application/json': { schema: { type: 'object' }, example }
})
const SERVICE_BODY = {
  description: 'whatever the service takes',
  content: {
    ...body({ text: 'Mrs Ada Obi owes Barclaycard £1,240.50' }),
    'text/plain': { schema: string },
    'application/octet-stream': { schema: { type: 'string', format: 'binary' } }
  }
}

/** What takes any method and body, which the generator can't tell from the routes. */
export function ingressPaths(): Record<string, object> {
  return {
    '/service/{service}': methods('main operation of a service', [service]),
    '/service/{service}/{path}': methods('operation of a service', [service, path]),
    '/v1/chat/completions': openai('A chat, by a worker that has the model', {
      model: 'llama3',
      messages: [{ role: 'user', content: 'hello' }]
    }),
    '/v1/completions': openai('Text that goes on, by a worker that has the model', { model: 'llama3', prompt: 'Dear' }),
    '/v1/embeddings': openai('Vectors of texts, by a worker that has the model', { model: 'nomic', input: 'rent' })
  }
}

function methods(what: string, parameters: object[]): object {
  const operation = (verb: string, requestBody?: object): object => ({
    tags: ['service'],
    summary: `${verb} the ${what}`,
    parameters: [...parameters, ...HEADERS],
    ...(requestBody == null ? {} : { requestBody }),
    responses: RESPONSES
  })
  return {
    get: operation('GET'),
    post: operation('POST to', SERVICE_BODY),
    put: operation('PUT to', SERVICE_BODY),
    patch: operation('PATCH', SERVICE_BODY),
    delete: operation('DELETE at')
  }
}

function openai(summary: string, example: object): object {
  const requestBody = { required: true, content: body(example) }
  return { post: { tags: ['openai'], summary, parameters: HEADERS, requestBody, responses: RESPONSES } }
}
