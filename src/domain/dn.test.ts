import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { valueFromDer } from './dn-value.js';
import { parseDn, printDn, type Attribute, type Dn } from './dn.js';
import { AccessError } from './errors.js';

const CN = '2.5.4.3';
const DC = '0.9.2342.19200300.100.1.25';
const bytes = (hex: string) => Uint8Array.from(Buffer.from(hex, 'hex'));

describe('parseDn() reads every spelling of a name into the canonical one', () => {
  // RFC 4514 section 4 first, but for the one with a control character.
  test.for<[string, string?]>([
    ['UID=jsmith,DC=example,DC=net'],
    ['OU=Sales+CN=J.  Smith,DC=example,DC=net', 'CN=J.  Smith+OU=Sales,DC=example,DC=net'],
    ['CN=James \\"Jim\\" Smith\\, III,DC=example,DC=net'],
    ['1.3.6.1.4.1.1466.0=#04024869'],
    ['CN=Lu\\C4\\8Di\\C4\\87'],
    ['CN=Lučić', 'CN=Lu\\C4\\8Di\\C4\\87'],
    ['cn=alice,o=Acme', 'CN=alice,O=Acme'],
    ['2.5.4.3=alice', 'CN=alice'],
    ['emailaddress=a@example.com', 'emailAddress=a@example.com'],
    ['CN=a\\2Cb', 'CN=a\\,b'],
    ['CN=a\\2cb', 'CN=a\\,b'],
    ['CN=a=b', 'CN=a=b'],
    ['CN=a\\=b', 'CN=a=b'],
    ['CN=\\#a#'],
    ['CN=\\23a', 'CN=\\#a'],
    ['CN=\\ a b\\ '],
    ['CN=\\20a\\20', 'CN=\\ a\\ '],
    ['CN=\\ '],
    ['CN=\\  \\ '],
    ['CN=a\\5C,O=b', 'CN=a\\\\,O=b'],
    ['CN=a\\<b\\>\\;\\+\\"'],
    ['CN=\\EF\\BB\\BFa'],
    ['CN=😀', 'CN=\\F0\\9F\\98\\80'],
    ['CN='],
    // Hexadecimal is another spelling of what is text, and the only one of what is not.
    ['CN=#0C0161', 'CN=a'],
    ['CN=#130161', 'CN=a'],
    ['CN=#160161', 'CN=#160161'],
    ['DC=#160161', 'DC=a'],
    ['1.2.3.4=#0c0161', '1.2.3.4=a'],
    ['CN=#1E020061', 'CN=#1e020061'],
    ['CN=#13022A40', 'CN=#13022a40'],
    [`CN=#0c8180${'61'.repeat(128)}`, `CN=${'a'.repeat(128)}`],
    ['2.999.1=a'],
    ['1.39=a'],
  ])('%s', ([text, canonical]) => {
    expect(printDn(parseDn(text))).toBe(canonical ?? text);
  });

  test('the first part of the text is the last of the certificate', () => {
    expect(parseDn('CN=alice,O=Acme')).toEqual([
      [{ type: '2.5.4.10', value: { text: 'Acme' } }],
      [{ type: CN, value: { text: 'alice' } }],
    ]);
  });
});

test.for([
  ['', 'empty'],
  ['alice', 'no type'],
  ['CN', 'no equals sign'],
  ['=alice', 'empty type'],
  ['CN=alice,', 'nothing after the comma'],
  [',CN=alice', 'nothing before the comma'],
  ['CN=alice+', 'nothing after the plus'],
  ['CN=alice;O=Acme', 'semicolon of RFC 1779'],
  ['CN="alice"', 'quotes of RFC 2253'],
  ['CN=alice, O=Acme', 'space after the comma'],
  ['CN =alice', 'space before the equals sign'],
  ['CN= alice', 'leading space'],
  ['CN=alice ', 'trailing space'],
  ['CN=a\\', 'backslash at the end'],
  ['CN=a\\zb', 'escape of an ordinary character'],
  ['CN=a<b', 'angle bracket'],
  ['CN=a\0b', 'NUL'],
  ['CN=a\\00b', 'escaped NUL'],
  ['CN=Before\\0DAfter', 'escaped control character'],
  ['CN=a\\7F', 'escaped DEL'],
  ['CN=a\nb', 'line feed'],
  ['CN=\\C3', 'half a character'],
  ['CN=\\C0\\AF', 'overlong UTF-8'],
  ['CN=\\ED\\A0\\80', 'surrogate in UTF-8'],
  ['CN=\ud800', 'lone surrogate'],
  ['XY=alice', 'unknown type'],
  ['OID.2.5.4.3=alice', 'prefixed OID'],
  ['2=alice', 'one arc'],
  ['3.1=alice', 'no such root'],
  ['0.40=alice', 'no such arc below root 0'],
  ['2.05.4=alice', 'leading zero in an arc'],
  ['CN=#', 'hexadecimal without digits'],
  ['CN=#0c016', 'half a byte'],
  ['CN=#0c0161,', 'nothing after hexadecimal'],
  ['CN=#0c0161x', 'text after hexadecimal'],
  ['CN=#0c', 'no length'],
  ['CN=#0c02', 'cut short'],
  ['CN=#0c016162', 'byte behind the element'],
  ['CN=#0c810161', 'length not in its shortest form'],
  ['CN=#0c80610000', 'indefinite length'],
  [`CN=#0c80${'61'.repeat(128)}`, 'indefinite length with as many bytes as it looks like'],
  ['CN=#1f0161', 'tag of more than one byte'],
  ['CN=#1f810161', 'tag of two bytes'],
  ['CN=#0c0100', 'NUL in hexadecimal'],
  ['CN=#16017f', 'DEL in hexadecimal'],
  ['CN=#1e020000', 'NUL in two bytes'],
  ['CN=#1e0161', 'half a character of two bytes'],
  ['CN=#0c01c3', 'hexadecimal that is not UTF-8'],
] as const)('parseDn() refuses %j: %s', ([text]) => {
  expect(() => parseDn(text)).toThrow(AccessError);
});

test('an error says where, and what was expected', () => {
  expect(() => parseDn('CN=alice,X=1')).toThrow(
    /^expected an attribute type \(CN, .* at character 11 of "CN=alice,X=1"$/,
  );
});

describe('valueFromDer()', () => {
  test.for<[string, string, { text: string } | 'der']>([
    ['UTF8String', '0c03c3a961', { text: 'éa' }],
    ['UTF8String with a byte order mark, which stays', '0c04efbbbf61', { text: '\ufeffa' }],
    ['PrintableString', '130161', { text: 'a' }],
    ['PrintableString with a character it must not have', '130140', 'der'],
    ['PrintableString with a byte above ASCII', '1301e9', 'der'],
    ['TeletexString', '140161', 'der'],
    ['NumericString', '120131', 'der'],
    ['VisibleString', '1a0161', 'der'],
    ['UniversalString', '1c0400000061', 'der'],
    ['BMPString', '1e020061', 'der'],
    ['a BMPString whose characters hold a zero byte', '1e040061ff00', 'der'],
    ['no string at all', '0303000000', 'der'],
  ])('reads %s', ([, hex, want]) => {
    expect(valueFromDer(CN, bytes(hex))).toEqual(want === 'der' ? { der: bytes(hex) } : want);
  });

  test('takes IA5String for text where the type is defined so', () => {
    expect(valueFromDer(DC, bytes('160161'))).toEqual({ text: 'a' });
    expect(valueFromDer(CN, bytes('160161'))).toEqual({ der: bytes('160161') });
  });
});

// Few characters, chosen for what they mean to the grammar, so that collisions would be found.
const tricky = fc
  .array(fc.constantFrom(' ', ',', '+', '=', '#', '\\', '"', '<', ';', 'a', 'C', '0', 'é', '\u202e', '😀'), {
    maxLength: 4,
  })
  .map((characters) => characters.join(''));
const anyText = fc
  .string({ unit: 'binary', maxLength: 12 })
  // oxlint-disable-next-line no-control-regex
  .filter((text) => text.isWellFormed() && !/[\x00-\x1f\x7f]/.test(text));
const opaque = fc
  .tuple(fc.constantFrom(0x04, 0x14, 0x1a), fc.uint8Array({ min: 0x20, max: 0x7e, maxLength: 3 }))
  .map(([tag, contents]) => ({ der: Uint8Array.of(tag, contents.length, ...contents) }));
const type = fc.constantFrom(CN, '2.5.4.10', DC, '1.2.3.4', '2.999.77', '0.39');
const attribute: fc.Arbitrary<Attribute> = fc.record({
  type,
  value: fc.oneof(
    tricky.map((text) => ({ text })),
    anyText.map((text) => ({ text })),
    opaque,
  ),
});
const dn: fc.Arbitrary<Dn> = fc.array(
  attribute.map((one) => [one]),
  { minLength: 1, maxLength: 4 },
);
const small: fc.Arbitrary<Dn> = fc.array(
  fc.record({ type: fc.constantFrom(CN, '1.2.3.4'), value: tricky.map((text) => ({ text })) }).map((one) => [one]),
  { minLength: 1, maxLength: 2 },
);

describe('printDn() and parseDn()', () => {
  test('what is printed is read back as the same name, and is printable ASCII', () => {
    fc.assert(
      fc.property(dn, (name) => {
        const text = printDn(name);
        expect(text).toMatch(/^[\x20-\x7e]+$/);
        expect(parseDn(text)).toEqual(name);
      }),
      { numRuns: 1_000 },
    );
  });

  test('a part with several attributes has one spelling in whatever order they come', () => {
    fc.assert(
      fc.property(fc.array(attribute, { minLength: 2, maxLength: 4 }), (rdn) => {
        const text = printDn([rdn]);
        expect(printDn([rdn.toReversed()])).toBe(text);
        expect(printDn(parseDn(text))).toBe(text);
      }),
      { numRuns: 300 },
    );
  });

  test('unequal names print unequally', () => {
    fc.assert(
      fc.property(small, small, (a, b) => {
        expect(printDn(a) === printDn(b)).toBe(JSON.stringify(a) === JSON.stringify(b));
      }),
      { numRuns: 3_000 },
    );
  });

  test('any text is refused, or means the same name as its canonical spelling', () => {
    const soup = fc
      .array(fc.constantFrom('CN', '2.5.4.3', '=', ',', '+', '#', '\\', '2C', '0c0161', ' ', 'a', 'é', '"'), {
        maxLength: 10,
      })
      .map((words) => words.join(''));
    fc.assert(
      fc.property(
        fc.oneof(
          soup,
          soup.map((rest) => `CN=${rest}`),
        ),
        (text) => {
          let name: Dn;
          try {
            name = parseDn(text);
          } catch (error) {
            expect(error).toBeInstanceOf(AccessError);
            return;
          }
          expect(parseDn(printDn(name))).toEqual(name.map((rdn) => (rdn.length > 1 ? expect.anything() : rdn)));
        },
      ),
      { numRuns: 2_000 },
    );
  });
});
