/** Does what the stand-in for acra-server does, and is not the same program. */
process.title = 'other';
await import('../../../emulator/acra-server/main.ts');
