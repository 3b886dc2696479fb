interface First {
  /** The file with the CA of the clients, as it is named there. */
  readonly ca: string;
  /** By which clients reach Envoy; null where only the user knows. */
  readonly publicHost: string | null;
}

/** The configuration that `init` writes. */
export function firstConfig({ ca, publicHost }: First): string {
  return `# The configuration of one Portcullis. Relative paths are relative to this file.
# Every key can also be set by a flag (--listen-admin) or a variable (PORTCULLIS_LISTEN_ADMIN).
# portcullis config check looks at all of it; portcullis config print adds every default.

listen:
  # Envoy asks here whether a connection may pass.
  authz: unix:./run/authz.sock
  # The HTTP API. People ask and review with their certificates, and those need TLS. For other machines: "0.0.0.0:8180"
  admin: { address: "127.0.0.1:8180", tls: { cert: ./server.crt, key: ./server.key } }
  # The emergency door: whoever may open this socket can lock, unlock, revoke and make service tokens.
  adminSocket: unix:./run/admin.sock
  metrics: 127.0.0.1:8181

# Requests, grants, locks and decisions. On a disk that survives a restart.
data: ./data

# Who issues the certificates of clients, and for which names they may speak.
trust:
  - name: corp
    ca: ${JSON.stringify(ca)}
    subject: [uri, dns, email, dn]
    # Without names they may speak for every name there is.
    names: ["spiffe://corp/**"]

# A folder of YAML files. SIGHUP reads it again.
policy: ./policy

# The internal listener of Envoy whose identity headers are believed; portcullis envoy config calls it so.
gate: gate

storage:
  # Seals every record. Lost, the store is lost; known, it can be forged.
  macKey: ./keys/store.key

decisions:
  # grouped: written right after the answer; strict: on disk before it.
  log: grouped
  keep: 30d

log:
  level: info

# For portcullis envoy config.
envoy:
  address: 0.0.0.0
  httpPort: 8443
  # What Envoy shows to clients. Paths are as Envoy finds them.
  tls: { cert: ./envoy.crt, key: ./envoy.key }
  admin: 127.0.0.1:9901
  accessLog: /dev/stdout
  # By which clients reach Envoy; portcullis connect is told it.
  ${publicHost === null ? '# publicHost: gate.corp.example' : `publicHost: ${publicHost}`}
`;
}

/** The policies that `init` writes: complete, and for nobody real. */
export function firstPolicies(): string {
  return `# Who may ask for what, for how long, and who approves. Nobody has access without asking.

# A person and the certificates that speak for them.
people:
  alice: { subjects: ["spiffe://corp/alice"] }
  bob: { subjects: ["spiffe://corp/bob"] }
  carol: { subjects: ["spiffe://corp/carol"] }

groups:
  dev: [alice]
  sre: [bob, carol]

# What stands behind Envoy.
resources:
  orders-db:
    description: Orders database
    labels: { env: prod, kind: postgres }
    tcp: { port: 15432, upstream: "127.0.0.1:5432" }
  billing-api:
    description: Billing
    labels: { env: prod, kind: http }
    http: { authority: [billing.internal], upstream: "127.0.0.1:8080" }
    actions:
      read: ["GET,HEAD /**"]
      write: ["POST,PUT,PATCH,DELETE /**"]

policies:
  # Members of dev may ask for anything in production, for up to four hours; one of sre approves.
  prod:
    who: { groups: [dev] }
    what: { labels: { env: prod } }
    duration: { default: 1h, max: 4h }
    justification: required
    # A request that nobody answers for this long lapses.
    pending: 1h
    approval:
      - { count: 1, from: { groups: [sre] } }

# Rights beyond one's own requests and grants. Reviewing is none of them: policies name their reviewers.
roles:
  operator: { groups: [sre] }
  auditor: { people: [carol] }
  admin: { people: [carol] }
`;
}
