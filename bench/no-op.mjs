// The least that any ext_authz service on grpc-js does: decodes a CheckRequest with proto-loader and answers an allow
// with three metadata fields. Plain JavaScript, so that it runs as a built program does.
import { readFileSync } from 'node:fs';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { fromJSON } from '@grpc/proto-loader';

const descriptors = JSON.parse(readFileSync(new URL('../proto/descriptors.json', import.meta.url), 'utf8'));
const packages = fromJSON(descriptors, { longs: Number, enums: String, defaults: true });

const server = new Server();
server.addService(packages['envoy.service.auth.v3.Authorization'], {
  Check({ request }, callback) {
    const { source, contextExtensions } = request.attributes;
    const fields = {
      decision_id: { stringValue: 'dec_01k9q4v0c8e5t9w2r7y6u3i1o0' },
      subject: { stringValue: source.principal },
      resource: { stringValue: contextExtensions['portcullis.resource'] },
    };
    callback(null, { status: { code: 0 }, okResponse: {}, dynamicMetadata: { fields } });
  },
});

const [, , target] = process.argv;
server.bindAsync(target, ServerCredentials.createInsecure(), (error) => {
  if (error) throw error;
});
process.once('SIGTERM', () => server.forceShutdown());
