import type { StylesheetJson } from 'cytoscape'
import { calm } from '../../state/theme.ts'

/** The picture's look in the page's own colours, which the style sheet keeps as custom properties. */
export function styleNow(): StylesheetJson {
  const css = getComputedStyle(document.documentElement)
  const colour = (name: string): string => css.getPropertyValue(name).trim()
  const accent = colour('--accent')
  const surface = colour('--surface')
  const line = colour('--line-strong')
  const text = colour('--text')
  const soft = colour('--accent-soft')
  return [
    {
      selector: 'node',
      style: {
        label: 'data(label)',
        'font-family': css.fontFamily,
        'font-size': 14,
        'font-weight': 500,
        color: text,
        'text-valign': 'bottom',
        'text-margin-y': 7,
        'text-background-color': surface,
        'text-background-opacity': 0.85,
        'text-background-padding': '2px',
        'background-color': soft,
        'border-width': 2,
        'border-color': accent,
        width: 42,
        height: 42,
        'pie-size': '78%',
        'pie-1-background-color': accent,
        'pie-1-background-size': 'data(load)',
        ...(calm.matches ? {} : { 'transition-property': 'border-color, opacity', 'transition-duration': 200 })
      }
    },
    {
      selector: 'node.page',
      style: {
        shape: 'round-rectangle',
        width: 92,
        height: 44,
        'background-color': accent,
        color: colour('--on-accent'),
        'font-weight': 600,
        'text-valign': 'center',
        'text-margin-y': 0,
        'text-background-opacity': 0
      }
    },
    {
      selector: 'node.relay',
      style: { shape: 'round-diamond', width: 40, height: 40, 'border-color': line, 'background-color': surface }
    },
    { selector: 'node.silent', style: { opacity: 0.45, 'border-style': 'dashed' } },
    { selector: 'edge', style: { width: 2, 'line-color': accent, 'curve-style': 'straight', 'z-index': 0 } },
    { selector: 'edge.relayed', style: { 'line-style': 'dashed', 'line-dash-pattern': [7, 5] } },
    { selector: 'edge.none', style: { 'line-style': 'dotted', 'line-color': line, opacity: 0.6 } }
  ] as StylesheetJson
}
