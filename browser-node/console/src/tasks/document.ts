import type { Task } from './index.ts'

export const document: Task = {
  service: 'document-processing',
  title: 'Turn a document into text',
  blurb: 'PDF, Word, web page or picture: plain text, page by page.',
  icon: 'document',
  verb: 'Turn into text',
  operation: 'POST /process',
  main: [],
  hidden: ['filename'],
  labels: { ocr: 'Read pages as pictures', chunk_size: 'Length of the pieces' },
  fileLabel: 'Document',
  accept: '.pdf,.docx,.html,.htm,.txt,.md,.png,.jpg,.jpeg',
  answer: 'document',
  examples: [
    {
      label: 'A creditor’s letter, as PDF',
      file: { url: '/examples/creditor-letter.pdf', name: 'creditor-letter.pdf', type: 'application/pdf' }
    }
  ]
}
