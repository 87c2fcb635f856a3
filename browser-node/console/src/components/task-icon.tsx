import { Blocks, BookOpenText, FileText, MessageCircle, PenLine, ScanText, Tags } from 'lucide-preact'
import type { IconName } from '../tasks/index.ts'

const ICONS = {
  scan: ScanText,
  names: Tags,
  letter: PenLine,
  manuals: BookOpenText,
  document: FileText,
  chat: MessageCircle,
  other: Blocks
}

export function TaskIcon({ name }: { name: IconName }) {
  const Icon = ICONS[name]
  return (
    <span class="task-icon" aria-hidden="true">
      <Icon size={22} strokeWidth={1.8} />
    </span>
  )
}
