/**
 * What an ingress understands of a request and says with its answer, whether it is an HTTP port or a page: so a request
 * means the same wherever it enters.
 */
export { EXPOSED_HEADERS, setAnswerHeaders } from './answer-headers.ts'
export { LLM_SERVICE, modelResource, modelsIn, type OpenaiView, unknownModel } from './openai.ts'
export { dataClassOf, type IngressOptions, newRequestId, optionsIn, timeoutOf } from './request-headers.ts'
export { type ServiceTarget, targetOf } from './target.ts'
