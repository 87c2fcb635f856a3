import type { Model } from './upstream.ts'

export type Task = 'chat' | 'embeddings'

/** How models are named that turn text into vectors, or into nothing that a chat could use. */
const EMBEDS = /embed|(^|[-_/])(bge|gte|e5|minilm|nomic)([-_:.]|$)/i
const NO_CHAT = /rerank|whisper|tts|(^|[-_/])clip([-_:.]|$)/i

/** The model for a request that names none: the one set, or the first that looks fit for the task, or the first. */
export function defaultModel(models: readonly Model[], task: Task, preferred: string | undefined): string | undefined {
  const ids = models.map(({ id }) => id)
  const embedding = ids.filter(id => EMBEDS.test(id))
  if (task === 'embeddings') return embedding[0] ?? ids[0]
  if (preferred != null) {
    const found = findModel(models, preferred)
    if (found != null) return found
  }
  return ids.find(id => !embedding.includes(id) && !NO_CHAT.test(id)) ?? ids[0]
}

/** The id under which the upstream has a model; Ollama's `llama3` is `llama3:latest`. */
export function findModel(models: readonly Model[], name: string): string | undefined {
  return models.find(({ id }) => id === name || id === `${name}:latest`)?.id
}
