"""boto3 goes through the checks of the KMS proxy (kms.test.ts): a program of the enclave that knows nothing of enclaves."""

import json
import os
import platform
import subprocess

import boto3
from botocore.exceptions import ClientError

KEY, SIGNING, AGREEMENT, OTHER = (os.environ[f"KMS_{name}_KEY"] for name in ("SYMMETRIC", "SIGNING", "AGREEMENT", "OTHER"))
CONTEXT = {"purpose": "files"}

kms = boto3.client("kms")


def tell(**fields):
    print(json.dumps(fields), flush=True)


def check(name, run):
    try:
        detail = run()
        tell(check=name, ok=True, detail=detail or "")
    except Exception as error:  # whatever it is, it is the result
        tell(check=name, ok=False, detail=f"{type(error).__name__}: {error}")


def demand(holds, what):
    if not holds:
        raise AssertionError(what)


def encrypt_decrypt():
    for secret in (b"x", b"a secret", bytes(4096)):
        sealed = kms.encrypt(KeyId=KEY, Plaintext=secret, EncryptionContext=CONTEXT)
        opened = kms.decrypt(KeyId=KEY, CiphertextBlob=sealed["CiphertextBlob"], EncryptionContext=CONTEXT)
        demand(opened["Plaintext"] == secret, "another plaintext")
        demand(opened["KeyId"] == KEY and "CiphertextForRecipient" not in opened, "another answer")


def decrypt_without_key():
    sealed = kms.encrypt(KeyId=KEY, Plaintext=b"a secret")
    demand(kms.decrypt(CiphertextBlob=sealed["CiphertextBlob"])["Plaintext"] == b"a secret", "another plaintext")


def data_key():
    made = kms.generate_data_key(KeyId=KEY, KeySpec="AES_256", EncryptionContext=CONTEXT)
    opened = kms.decrypt(CiphertextBlob=made["CiphertextBlob"], EncryptionContext=CONTEXT)
    demand(len(made["Plaintext"]) == 32 and opened["Plaintext"] == made["Plaintext"], "another key")


def data_key_pair():
    made = kms.generate_data_key_pair(KeyId=KEY, KeyPairSpec="RSA_2048")
    opened = kms.decrypt(CiphertextBlob=made["PrivateKeyCiphertextBlob"])
    demand(opened["Plaintext"] == made["PrivateKeyPlaintext"], "another private key")
    shown = subprocess.run(
        ["openssl", "pkey", "-inform", "DER", "-pubout", "-outform", "DER"],
        input=made["PrivateKeyPlaintext"], capture_output=True, check=True,
    )
    demand(shown.stdout == made["PublicKey"], "the halves do not fit")


def random():
    demand(len(kms.generate_random(NumberOfBytes=48)["Plaintext"]) == 48, "another length")


def shared_secret():
    own, public = "own.pem", "own.der"
    subprocess.run(["openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", own], check=True)
    subprocess.run(["openssl", "pkey", "-in", own, "-pubout", "-outform", "DER", "-out", public], check=True)
    with open(public, "rb") as file:
        derived = kms.derive_shared_secret(KeyId=AGREEMENT, KeyAgreementAlgorithm="ECDH", PublicKey=file.read())
    with open("their.der", "wb") as file:
        file.write(kms.get_public_key(KeyId=AGREEMENT)["PublicKey"])
    expected = subprocess.run(
        ["openssl", "pkeyutl", "-derive", "-inkey", own, "-peerkey", "their.der", "-peerform", "DER"],
        capture_output=True, check=True,
    )
    demand(derived["SharedSecret"] == expected.stdout, "another secret")


def sign_verify():
    asked = {"KeyId": SIGNING, "Message": b"a message", "SigningAlgorithm": "ECDSA_SHA_256"}
    signature = kms.sign(**asked)["Signature"]
    demand(kms.verify(**asked, Signature=signature)["SignatureValid"], "not valid")


def typed_refusal():
    try:
        kms.decrypt(KeyId=KEY, CiphertextBlob=bytes(80))
    except kms.exceptions.InvalidCiphertextException as error:
        demand(error.response["ResponseMetadata"]["RequestId"], "no number")
        return type(error).__name__
    raise AssertionError("no exception")


def refused(run, code, words):
    try:
        run()
    except ClientError as error:
        demand(error.response["Error"]["Code"] == code, error.response["Error"]["Code"])
        demand(words in error.response["Error"]["Message"], error.response["Error"]["Message"])
        demand(error.response["ResponseMetadata"]["RetryAttempts"] == 0, "was tried again")
        return f"{code}"
    raise AssertionError("no exception")


def outage_retried():
    answer = kms.describe_key(KeyId=KEY)
    demand(answer["KeyMetadata"]["Arn"] == KEY, "another key")
    return f"{answer['ResponseMetadata']['RetryAttempts']} retries"


tell(version=f"boto3 {boto3.__version__}", runtime=f"Python {platform.python_version()}")
check("encrypt-decrypt", encrypt_decrypt)
check("decrypt-without-key", decrypt_without_key)
check("data-key", data_key)
check("data-key-pair", data_key_pair)
check("random", random)
check("shared-secret", shared_secret)
check("sign-verify", sign_verify)
check("typed-refusal", typed_refusal)
check("rules-refusal", lambda: refused(lambda: kms.encrypt(KeyId=OTHER, Plaintext=b"x"), "AccessDeniedException", "enclave.yaml"))
check("alias-refusal", lambda: refused(lambda: kms.encrypt(KeyId="alias/x", Plaintext=b"x"), "AccessDeniedException", "ARN"))
check("outage-retried", outage_retried)
