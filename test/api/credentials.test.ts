import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { isSecretName, isSopsEncrypted, looksLikeCredential } from '../../src/api/credentials.ts';
import { cpuMsSince, cpuTime } from '../cpu-time.ts';

test('names of fields that hold credentials', () => {
  for (const name of [
    'password',
    'dbPassword',
    'PASS',
    'mysql-pwd',
    'rootPw',
    'AUTH_TOKEN',
    'apiKey',
    'clientSecret',
    'encryptionKey',
  ])
    assert.ok(isSecretName(name), name);
  for (const name of [
    'hostname',
    'user',
    'port',
    'publicKey',
    'author',
    'passive',
    'bucket',
    'compass_direction',
  ])
    assert.not.ok(isSecretName(name), name);
});

test('texts that are or contain credentials', () => {
  const jwt = 'eyJhbGciOiJIUzI1NiJ9.eyJsb2dpbiI6ImEifQ.c2ln';
  for (const text of [
    jwt,
    `Bearer ${jwt}`,
    'AGE-SECRET-KEY-1QQ',
    '-----BEGIN RSA PRIVATE KEY-----',
    'see postgres://u:p@db/x',
    'AKIAIOSFODNN7EXAMPLE',
  ])
    assert.ok(looksLikeCredential(text), text);
  for (const text of [
    '',
    'postgres:16',
    'https://a:8080/b@c',
    'user@example.org',
    'age1qqq',
    'eyJ',
    'a://b:c',
  ])
    assert.not.ok(looksLikeCredential(text), text);
});

test('what SOPS encrypted is told from what only looks like it', () => {
  for (const text of [
    'ENC[AES256_GCM,data:p673w==,iv:YY=,aad:UQ=,tag:A==,type:str]',
    'ENC[AES256_GCM,data:a\nb,type:str]',
  ])
    assert.ok(isSopsEncrypted(text), text);
  for (const text of ['', 'ENC[]', 'xENC[AES256_GCM,data:a]', 'ENC[AES256_GCM,data:a] and more', 'ENC[GPG]'])
    assert.not.ok(isSopsEncrypted(text), text);
});

test('no text takes long, however hostile', () => {
  const start = cpuTime();
  for (const piece of ['a.', 'eyJ-', 'eyJaaaaaaaaa.', '://a:', 'a://a:a', 'xoxb-', '-----BEGIN '])
    looksLikeCredential(piece.repeat(50_000));
  assert.ok(cpuMsSince(start) < 1000);
});

test.run();
