import type { Task } from './index.ts'

export const chat: Task = {
  service: 'llm-inference',
  title: 'Chat',
  blurb: 'Ask a language model that runs on a member’s computer.',
  icon: 'chat',
  verb: 'Send',
  operation: 'POST /v1/chat/completions',
  main: [],
  hidden: [],
  labels: {},
  answer: 'json',
  examples: [
    {
      label: 'What is a statutory demand?',
      values: { prompt: 'What is a statutory demand? Answer in three sentences.' }
    },
    { label: 'Explain a letter simply', values: { prompt: 'Explain in plain English what “liability order” means.' } }
  ]
}
