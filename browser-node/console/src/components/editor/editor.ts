import { defaultKeymap, history, historyKeymap } from '@codemirror/commands'
import { json } from '@codemirror/lang-json'
import { bracketMatching, defaultHighlightStyle, indentOnInput, syntaxHighlighting } from '@codemirror/language'
import { EditorState } from '@codemirror/state'
import { EditorView, keymap } from '@codemirror/view'

/**
 * Opens an editor of JSON in a shadow root: there its style sheets are constructed ones, which a content security policy
 * without inline styles allows. Tab leaves the editor, as everywhere on the page.
 *
 * @returns what closes it
 */
export function openEditor(
  host: HTMLElement,
  text: string,
  label: string,
  onChange: (text: string) => void
): () => void {
  const root = host.shadowRoot ?? host.attachShadow({ mode: 'open' })
  const view = new EditorView({
    root,
    parent: root,
    state: EditorState.create({
      doc: text,
      extensions: [
        json(),
        history(),
        indentOnInput(),
        bracketMatching(),
        syntaxHighlighting(defaultHighlightStyle),
        keymap.of([...defaultKeymap, ...historyKeymap]),
        EditorView.lineWrapping,
        EditorView.contentAttributes.of({ 'aria-label': label }),
        EditorView.updateListener.of(update => {
          if (update.docChanged) onChange(update.state.doc.toString())
        }),
        look
      ]
    })
  })
  return () => view.destroy()
}

/** In the page's colours: custom properties reach into the shadow root. */
const look = EditorView.theme({
  '&': { color: 'var(--text)', fontSize: '0.95rem' },
  '&.cm-focused': { outline: '2px solid var(--accent)' },
  '.cm-content': {
    fontFamily: 'ui-monospace, monospace',
    padding: '0.75rem',
    caretColor: 'var(--text)',
    minHeight: '9rem'
  },
  '.cm-cursor': { borderLeftColor: 'var(--text)' },
  '.cm-line span': { color: 'inherit' }
})
