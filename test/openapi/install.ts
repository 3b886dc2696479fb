import { installSchemathesis } from './schemathesis.js';

// For images and caches, so that the first run of the fuzz suite has nothing to download: `npx tsx test/openapi/install.ts`.
installSchemathesis().then(
  (command) => process.stdout.write(`${command}\n`),
  (error: unknown) => {
    process.stderr.write(`${String(error)}\n`);
    process.exitCode = 1;
  },
);
