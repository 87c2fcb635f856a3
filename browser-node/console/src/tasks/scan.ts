import type { Task } from './index.ts'

export const scan: Task = {
  service: 'vision-ocr',
  title: 'Read a scan',
  blurb: 'Get the words out of a photo or a scanned page.',
  icon: 'scan',
  verb: 'Read it',
  operation: 'POST /recognize',
  main: [],
  hidden: [],
  labels: {},
  fileLabel: 'Photo or scanned page',
  accept: 'image/png,image/jpeg,image/webp,image/gif,image/tiff,application/pdf',
  answer: 'ocr',
  examples: [
    {
      label: 'A creditor’s letter, scanned',
      file: { url: '/examples/creditor-letter.jpg', name: 'creditor-letter.jpg', type: 'image/jpeg' }
    }
  ]
}
