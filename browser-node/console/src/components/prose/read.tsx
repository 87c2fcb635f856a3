import { lexer, type Token, type Tokens } from 'marked'
import type { ComponentChildren } from 'preact'
import { Scroller } from '../scroller.tsx'

export type ProseReader = typeof readProse

/** Markdown as elements. Only the reading is the library's: nothing becomes HTML, and HTML in it stays text. */
export function readProse(text: string): ComponentChildren {
  return lexer(text, { gfm: true }).map(show)
}

function show(token: Token, key: number): ComponentChildren {
  const inside = (): ComponentChildren =>
    'tokens' in token && token.tokens != null ? token.tokens.map(show) : plain(token)
  switch (token.type) {
    case 'space':
      return null
    case 'heading':
      return <h4 key={key}>{inside()}</h4>
    case 'paragraph':
      return <p key={key}>{inside()}</p>
    case 'blockquote':
      return <blockquote key={key}>{inside()}</blockquote>
    case 'strong':
      return <strong key={key}>{inside()}</strong>
    case 'em':
      return <em key={key}>{inside()}</em>
    case 'del':
      return <del key={key}>{inside()}</del>
    case 'codespan':
      return <code key={key}>{plain(token)}</code>
    case 'code':
      return (
        <Scroller key={key} class="raw" label="Code">
          {plain(token)}
        </Scroller>
      )
    case 'br':
      return <br key={key} />
    case 'hr':
      return <hr key={key} />
    case 'list':
      return list(token as Tokens.List, key)
    case 'table':
      return table(token as Tokens.Table, key)
    case 'link':
      return link(token as Tokens.Link, key)
    default:
      return inside()
  }
}

function plain(token: Token): string {
  return 'text' in token && typeof token.text === 'string' ? token.text : token.raw
}

function list({ ordered, start, items }: Tokens.List, key: number): ComponentChildren {
  const children = items.map((item, i) => <li key={i}>{item.tokens.map(show)}</li>)
  return ordered ? (
    <ol key={key} start={Number(start) || 1}>
      {children}
    </ol>
  ) : (
    <ul key={key}>{children}</ul>
  )
}

function table({ header, rows }: Tokens.Table, key: number): ComponentChildren {
  return (
    <table key={key}>
      <thead>
        <tr>
          {header.map((cell, i) => (
            <th key={i}>{cell.tokens.map(show)}</th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map((row, i) => (
          <tr key={i}>
            {row.map((cell, j) => (
              <td key={j}>{cell.tokens.map(show)}</td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  )
}

/** Where a link leads is for the reader to see: models make addresses up. */
function link({ href, tokens }: Tokens.Link, key: number): ComponentChildren {
  if (!/^https?:\/\//i.test(href)) return tokens.map(show)
  return (
    <a key={key} href={href} target="_blank" rel="noreferrer noopener" title={href}>
      {tokens.map(show)}
    </a>
  )
}
