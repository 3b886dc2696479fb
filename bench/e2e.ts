import { startEnvoys, type Envoys } from './e2e/envoys.js';
import { startUpstream } from './e2e/upstream.js';
import { inTurns } from './e2e/turns.js';
import { printReport, type Case } from './e2e/report.js';
import { findEnvoyHere } from './e2e/find.js';
import { LOAD_CORE, SERVER_CORE } from './child/cores.js';
import { startNoOp } from './child/no-op.js';
import { goAhead, pinThisProcess } from './child/process.js';
import { startService } from './child/service.js';
import { machineLine } from './figures/machine.js';
import { AHEAD, CHECKOUT, GRANTS, readOptions, type Told } from './options.js';
import { makeHome, type Home } from './scene/home.js';

const ABOUT = `What a check adds to a request through a real Envoy, with mutual TLS: generated configuration once with
service and session guard, once without the guard, once with a no-op server on the same gRPC library in place of the service,
once without the filter, in turns.`;

async function main(): Promise<void> {
  const told = readOptions(ABOUT, {
    grants: GRANTS,
    rounds: { default: '5', help: 'turns of each in each case' },
    seconds: { default: '4', help: 'length of a turn' },
    rate: { default: '500', help: 'requests a second' },
    ahead: AHEAD,
    checkout: CHECKOUT,
  });
  if (told === null) return;
  if (told.flag('ahead')) goAhead();
  pinThisProcess(LOAD_CORE);
  const binary = await findEnvoyHere();
  const upstream = await startUpstream(LOAD_CORE);
  const home = await makeHome({ grants: told.number('grants'), now: Date.now() as never, upstreamPort: upstream.port });
  try {
    const parts = [
      `Envoy ${binary.version}`,
      `${told.number('grants')} grants`,
      ...(told.flag('ahead') ? ['nice -20'] : []),
    ];
    const machine = machineLine(parts);
    const cases = await measured(told, home, binary.command);
    console.log(machine);
    printReport(cases);
  } finally {
    home.remove();
    await upstream.stop();
  }
}

async function measured(told: Told, home: Home, command: string): Promise<readonly Case[]> {
  const checkout = told.text('checkout');
  const service = await startService(home, { core: SERVER_CORE, ...(checkout && { checkout }) });
  const noOp = await startNoOp(home, SERVER_CORE);
  let envoys: Envoys | undefined;
  try {
    envoys = await startEnvoys(home, { command, core: LOAD_CORE, authz: { service, 'no-op': noOp } });
    console.error('waiting until the service has looked at every record …');
    await service.verified();
    const load = { rounds: told.number('rounds'), seconds: told.number('seconds'), rate: told.number('rate') };
    return [
      { name: 'HTTP/1.1', turns: await inTurns(home, envoys, { ...load, protocol: 'HTTP/1.1' }) },
      { name: 'HTTP/2', turns: await inTurns(home, envoys, { ...load, protocol: 'HTTP/2' }) },
    ];
  } finally {
    await envoys?.stop();
    await Promise.all([service.stop(), noOp.stop()]);
  }
}

await main();
