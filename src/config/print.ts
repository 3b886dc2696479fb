import { printDuration } from '../domain/durations.js';
import { printSubjectPattern } from '../domain/subject-pattern.js';
import { writeYaml } from '../policy/yaml-write.js';
import { printAddress } from './address.js';
import { printDay } from './day.js';
import type { Config, Listener, TrustSource } from './structure.js';

const HEADING = `# The configuration in force, with every default and absolute paths. A key that is not here is none.
# Nothing is masked: secrets are in the files named here, never in the configuration.
`;

/** The configuration as a file that gives the same configuration again. Keys that are none are left out. */
export function printConfig(config: Config): string {
  const { listen, data, trust, policy, gate, storage, guard, clock, decisions, notify, log, envoy } = config;
  const plain = {
    listen: {
      authz: plainListener(listen.authz),
      guard: plainListener(listen.guard),
      admin: plainListener(listen.admin),
      adminSocket: plainListener(listen.adminSocket),
      metrics: plainMetrics(listen.metrics),
    },
    data,
    trust: trust.map(plainTrust),
    policy,
    gate,
    storage,
    guard: { ...guard, contactGrace: printDuration(guard.contactGrace) },
    ...(clock.confirmed !== null && { clock: { confirmed: printDay(clock.confirmed) } }),
    decisions: { log: decisions.log, keep: printDuration(decisions.keep) },
    notify,
    log,
    envoy: { ...envoy, admin: printAddress(envoy.admin) },
  };
  return HEADING + writeYaml(plain);
}

function plainListener({ address, tls }: Listener): unknown {
  if (!tls) return printAddress(address);
  return { address: printAddress(address), tls: { ...tls, names: tls.names.map(printSubjectPattern) } };
}

function plainMetrics({ allowRemote, ...listener }: Config['listen']['metrics']): unknown {
  return allowRemote ? { address: printAddress(listener.address), allowRemote } : plainListener(listener);
}

function plainTrust({ name, ca, subject, names }: TrustSource): unknown {
  return { name, ca, subject, names: names && names.map(printSubjectPattern) };
}
