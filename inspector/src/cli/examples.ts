const examples = (text: string): string => `\nExamples:\n${text.trim().replace(/^/gm, '  ')}\n`

/** What stands below the options in each `--help`. */
export const EXAMPLES = {
  program: `
Examples:
  hedgerow peers                                       who is in the mesh
  hedgerow call ner -d '{"text":"owes Barclaycard £1,240.50"}'
  hedgerow call ocr -d @letter.png > letter.json       send a file, keep the answer
  hedgerow explain 3f2a...                             why that request went where it went
  hedgerow peers --relay https://mesh.example.org      from anywhere, as a peer of its own
  hedgerow services --json | jq '.gaps'

Where it asks:
  --daemon <url>, else HEDGEROW_DAEMON, else what listens on this machine: HEDGEROW_HTTP_PORT and the next
  three ports if that is set, else 8000, 8080-8083. A daemon elsewhere wants a key: --key, or HEDGEROW_KEY.
  With --relay it joins the mesh itself and asks nobody else.

A peer is named by its name, its id, or any beginning or end of its id that no other peer has.

Exit codes:
  0 done   1 failed   2 wrong usage   3 nobody could be reached   130 ended by Ctrl-C
`,
  peers: examples(`
hedgerow peers
hedgerow peers --json | jq -r '.peers[] | select(.load.queued > 0) | .name'
hedgerow peers --relay /dns4/mesh.example.org/tcp/443/tls/ws/p2p/12D3KooW... --mesh hedgerow
`),
  services: examples(`
hedgerow services
hedgerow services --json | jq -r '.gaps[]'           services that nobody offers now
`),
  inspect: examples(`
hedgerow inspect worker-1
hedgerow inspect x9fQz3Kp                            by the end of its id
`),
  doctor: examples(`
hedgerow doctor https://mesh.example.org
hedgerow doctor                                      the relay that the daemon here knows
hedgerow doctor --services ner,ocr --json | jq '.checks[] | select(.state == "wrong")'
`),
  ping: examples(`
hedgerow ping worker-1
hedgerow ping worker-1 -c 100 -i 0.1
`),
  call:
    examples(`
hedgerow call ner -d '{"text":"owes Barclaycard £1,240.50"}'
hedgerow call upload -d @letter.pdf                  the type is guessed from the name
cat notes.txt | hedgerow call notes -d @-
hedgerow call rag/documents                          GET a path
hedgerow call rag/documents/doc-1 -X DELETE
hedgerow call llm -d '{"prompt":"hello","stream":true}'   events as they come
hedgerow call ner -d @text.json --worker worker-2 --explain
`) +
    `
The answer's body goes to stdout as it comes; one line about it goes to stderr: status, worker, path, time, request id.
An answer that is not 2xx ends with exit code 1.
`,
  forward:
    examples(`
hedgerow forward postgresql 15432                    then: psql -h 127.0.0.1 -p 15432
hedgerow forward minio 0 --json                      at any port; says which
hedgerow forward postgresql 15432 --worker worker-2 --verbose
hedgerow forward postgresql 15432 --relay https://mesh.example.org --invite ...
`) +
    `
Each connection goes to one worker and stays there. Whoever reaches the port on this machine gets into the service: it
asks for its own password. The first Ctrl-C takes no more connections and waits for those that are open, for half a
minute; the second ends them.
`,
  explain: `${examples(`
hedgerow explain 3f2a9c0d5b7e41f68a90b1c2d3e4f506
hedgerow explain 3f2a9c0d5b7e41f68a90b1c2d3e4f506 --daemon https://mesh.example.org
`)}\nThe peer where a request entered the mesh keeps the decision for ten minutes.\n`,
  key: examples(`
hedgerow key create "web frontend" --services notes,ner --expires 90d
hedgerow key list
hedgerow key revoke 3f2a9c0d5b7e
`),
  keyCreate: `${examples(`
hedgerow key create "web frontend"                   may call every service
hedgerow key create monitoring --rights read         /metrics, /stats, /explain
hedgerow key create ada --rights admin --expires 12h
hedgerow key create intake --services ocr,upload --rate 5 --data-dir /var/lib/hedgerow
`)}\nIt is sent as \`Authorization: Bearer hk_...\` or \`X-API-Key: hk_...\`; the peer keeps a hash of it only.\n`,
  keyList: examples('hedgerow key list\nhedgerow key list --json --data-dir /var/lib/hedgerow'),
  keyRevoke: examples('hedgerow key revoke 3f2a9c0d5b7e\nhedgerow key revoke "web frontend"'),
  audit: `${examples(`
hedgerow audit --since 2h
hedgerow audit --data-dir .hedgerow/relay --service ner-extraction --json | jq -r .caller
`)}\nThe log tells who asked for what and how it went, and nothing of what was asked or answered. It is read from the disk,
so run this on the peer's machine, as its user.\n`,
  receipt: `${examples(`
hedgerow receipt 3f2a9c0d5b7e41f68a90b1c2d3e4f506 > receipt.jws
hedgerow receipt 3f2a9c0d5b7e41f68a90b1c2d3e4f506 | hedgerow verify - --answer letter.json
`)}\nA receipt is a JWS: any JWT library checks it with the Ed25519 key that the worker's peer id is. The worker can give it
for an hour; the peer where the request entered knows for ten minutes which worker that was.\n`,
  verify: `${examples(`
hedgerow verify receipt.jws
hedgerow verify receipt.jws --request notes.json --answer letter.json --worker x9fQz3Kp
`)}\nNobody is asked for this. Exit codes: 0 what could be compared holds   1 it doesn't   2 wrong usage\n`,
  dht: examples(`
hedgerow dht providers ner
hedgerow dht get worker-1
hedgerow dht topology
`),
  dhtProviders: examples('hedgerow dht providers ner-extraction'),
  dhtGet: examples('hedgerow dht get worker-1\nhedgerow dht get 12D3KooW... --json'),
  dhtTopology: examples('hedgerow dht topology'),
  top: examples(`
hedgerow top                                         q or Ctrl-C ends it
hedgerow top -n 1                                    one look
hedgerow top --json -i 5 >> mesh.ndjson              a line of JSON every five seconds
`),
  mesh: `${examples(`
hedgerow mesh init charity                                         once: the authority's key
hedgerow mesh sign 12D3KooW... --dir charity-mesh --role relay,issuer --out relay.json
hedgerow mesh invite --data-dir /var/lib/hedgerow --relay https://mesh.example.org --services '*'
hedgerow mesh revoke 12D3KooW... --dir charity-mesh --daemon https://mesh.example.org
hedgerow mesh show "$HEDGEROW_INVITE"
`)}\nThe whole story: docs/trust.md\n`,
  meshInit: `${examples(`
hedgerow mesh init charity                           into ./charity-mesh, asks for a passphrase twice
hedgerow mesh init charity --dir /media/stick/mesh
HEDGEROW_PASSPHRASE=... hedgerow mesh init charity   for scripts
hedgerow mesh init try-out --no-passphrase
`)}\nThe folder holds authority.pem (keep it offline, with a copy elsewhere) and mesh.json (may be shown to anybody).\n`,
  meshSign: `${examples(`
hedgerow mesh sign 12D3KooW... --role relay,issuer --days 90 --out relay.json
hedgerow mesh sign 12D3KooW... --role worker --services vision-ocr,ner-extraction --classes public,internal,confidential
`)}
The file goes to the peer: as HEDGEROW_CREDENTIAL (the file's name, or its content), or into its data directory as
membership.json. A peer that runs takes a new one at once. Only the authority gives \`confidential\`, and makes relays.
What the authority signs is not renewed by itself: the peer warns from 14 days before its end.
`,
  meshInvite: `${examples(`
hedgerow mesh invite --data-dir /var/lib/hedgerow --relay https://mesh.example.org --services ner-extraction
hedgerow mesh invite --dir charity-mesh --issuer 12D3KooW... --relay https://mesh.example.org --services '*' --uses 5
hedgerow mesh invite --data-dir /var/lib/hedgerow --relay https://mesh.example.org --role client --expires 1h
`)}
On a terminal it prints the string, a QR code and what it is; elsewhere the string alone. Treat it as a password: whoever
has it can use it, until it is used up or ends. It is redeemed by one relay, which must have the role \`issuer\`.
`,
  meshRevoke: `${examples(`
hedgerow mesh revoke 12D3KooW... --dir charity-mesh --daemon https://mesh.example.org
hedgerow mesh revoke 12D3KooW... --data-dir /var/lib/hedgerow --daemon http://127.0.0.1:8080
hedgerow mesh revoke 12D3KooW... --dir charity-mesh --out revoke.txt     without a network; then \`mesh send\`
hedgerow mesh revoke eyJhbGciOi... --dir charity-mesh --daemon https://mesh.example.org     an invite
`)}\nOpen connections to a peer end within seconds, everywhere. It can come back by an invite or credential made afterwards. An
invite that is taken back lets nobody in any more; who came by it before stays, and is taken out one by one.\n`,
  meshSend: examples('hedgerow mesh send revoke.txt --daemon https://mesh.example.org'),
  meshShow: `${examples(`
hedgerow mesh show                                   the mesh of the peer that is asked, and its place in it
hedgerow mesh show charity-mesh/mesh.json
hedgerow mesh show /var/lib/hedgerow/membership.json
hedgerow mesh show "$HEDGEROW_INVITE"
hedgerow mesh show revoke.txt --mesh-file charity-mesh/mesh.json
`)}\nEnds with 1 when what it shows is not good.\n`
}
