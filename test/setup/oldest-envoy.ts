import { resolve } from 'node:path';
import { findEnvoy } from '../../src/demo/find-envoy.js';
import { OLDEST } from '../e2e/envoy.js';

// The tests of this project run on the oldest Envoy that is tested, and on no other.
const search = { path: '', cache: resolve('.cache'), progress: () => undefined };
const found = await findEnvoy({ ...search, given: null, version: OLDEST });
if (found.kind === 'binary') process.env['ENVOY_BIN'] = found.command;
