// The AWS SDK for Go v2 goes through the checks of the KMS proxy (kms.test.ts), with nothing set but the environment.
package main

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdh"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/smithy-go"
)

var (
	ctx       = context.Background()
	key       = aws.String(os.Getenv("KMS_SYMMETRIC_KEY"))
	signing   = aws.String(os.Getenv("KMS_SIGNING_KEY"))
	agreement = aws.String(os.Getenv("KMS_AGREEMENT_KEY"))
	other     = aws.String(os.Getenv("KMS_OTHER_KEY"))
	message   = []byte("a message")
	purpose   = map[string]string{"purpose": "files"}
)

func tell(fields map[string]any) {
	line, _ := json.Marshal(fields)
	fmt.Println(string(line))
}

func check(name string, run func() (string, error)) {
	detail, err := run()
	if err != nil {
		detail = err.Error()
	}
	tell(map[string]any{"check": name, "ok": err == nil, "detail": detail})
}

func demand(holds bool, what string) error {
	if holds {
		return nil
	}
	return errors.New(what)
}

func refused(err error, code, words string) (string, error) {
	var refusal smithy.APIError
	if !errors.As(err, &refusal) {
		return "", fmt.Errorf("no exception: %v", err)
	}
	if refusal.ErrorCode() != code || !strings.Contains(refusal.ErrorMessage(), words) {
		return "", err
	}
	return code, nil
}

func main() {
	settings, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		panic(err)
	}
	client := kms.NewFromConfig(settings)
	version := "unknown"
	if build, ok := debug.ReadBuildInfo(); ok {
		for _, module := range build.Deps {
			if module.Path == "github.com/aws/aws-sdk-go-v2/service/kms" {
				version = "service/kms " + module.Version
			}
		}
	}
	tell(map[string]any{"version": version, "runtime": "Go " + strings.TrimPrefix(runtime.Version(), "go")})

	encrypt := func(plaintext []byte) ([]byte, error) {
		answer, err := client.Encrypt(ctx, &kms.EncryptInput{KeyId: key, Plaintext: plaintext, EncryptionContext: purpose})
		if err != nil {
			return nil, err
		}
		return answer.CiphertextBlob, nil
	}
	decrypt := func(named *string, sealed []byte) ([]byte, error) {
		answer, err := client.Decrypt(ctx, &kms.DecryptInput{KeyId: named, CiphertextBlob: sealed, EncryptionContext: purpose})
		if err != nil {
			return nil, err
		}
		return answer.Plaintext, demand(answer.CiphertextForRecipient == nil, "an envelope")
	}

	check("encrypt-decrypt", func() (string, error) {
		for _, plaintext := range [][]byte{{1}, make([]byte, 4096)} {
			sealed, err := encrypt(plaintext)
			if err != nil {
				return "", err
			}
			opened, err := decrypt(key, sealed)
			if err != nil || !bytes.Equal(opened, plaintext) {
				return "", fmt.Errorf("another plaintext: %v", err)
			}
		}
		return "", nil
	})
	check("decrypt-without-key", func() (string, error) {
		sealed, err := encrypt(message)
		if err != nil {
			return "", err
		}
		opened, err := decrypt(nil, sealed)
		return "", errors.Join(err, demand(bytes.Equal(opened, message), "another plaintext"))
	})
	check("data-key", func() (string, error) {
		made, err := client.GenerateDataKey(ctx, &kms.GenerateDataKeyInput{KeyId: key, KeySpec: types.DataKeySpecAes256, EncryptionContext: purpose})
		if err != nil {
			return "", err
		}
		opened, err := decrypt(nil, made.CiphertextBlob)
		return "", errors.Join(err, demand(len(opened) == 32 && bytes.Equal(opened, made.Plaintext), "another key"))
	})
	check("data-key-pair", func() (string, error) {
		made, err := client.GenerateDataKeyPair(ctx, &kms.GenerateDataKeyPairInput{KeyId: key, KeyPairSpec: types.DataKeyPairSpecEccNistP256})
		if err != nil {
			return "", err
		}
		private, err := x509.ParsePKCS8PrivateKey(made.PrivateKeyPlaintext)
		if err != nil {
			return "", err
		}
		public, err := x509.MarshalPKIXPublicKey(private.(crypto.Signer).Public())
		return "", errors.Join(err, demand(bytes.Equal(public, made.PublicKey), "the halves do not fit"))
	})
	check("random", func() (string, error) {
		answer, err := client.GenerateRandom(ctx, &kms.GenerateRandomInput{NumberOfBytes: aws.Int32(48)})
		if err != nil {
			return "", err
		}
		return "", demand(len(answer.Plaintext) == 48, "another length")
	})
	check("shared-secret", func() (string, error) { return "", sharedSecret(client) })
	check("sign-verify", func() (string, error) {
		algorithm := types.SigningAlgorithmSpecEcdsaSha256
		signed, err := client.Sign(ctx, &kms.SignInput{KeyId: signing, Message: message, SigningAlgorithm: algorithm})
		if err != nil {
			return "", err
		}
		judged, err := client.Verify(ctx, &kms.VerifyInput{KeyId: signing, Message: message, SigningAlgorithm: algorithm, Signature: signed.Signature})
		if err != nil {
			return "", err
		}
		return "", demand(judged.SignatureValid, "not valid")
	})
	check("typed-refusal", func() (string, error) {
		_, err := decrypt(key, make([]byte, 80))
		var typed *types.InvalidCiphertextException
		if !errors.As(err, &typed) {
			return "", fmt.Errorf("another error: %v", err)
		}
		return typed.ErrorCode(), nil
	})
	check("rules-refusal", func() (string, error) {
		_, err := client.Encrypt(ctx, &kms.EncryptInput{KeyId: other, Plaintext: message})
		return refused(err, "AccessDeniedException", "enclave.yaml")
	})
	check("alias-refusal", func() (string, error) {
		_, err := client.Encrypt(ctx, &kms.EncryptInput{KeyId: aws.String("alias/x"), Plaintext: message})
		return refused(err, "AccessDeniedException", "ARN")
	})
	check("outage-retried", func() (string, error) {
		answer, err := client.DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: key})
		if err != nil {
			return "", err
		}
		attempts, _ := retry.GetAttemptResults(answer.ResultMetadata)
		return fmt.Sprintf("%d retries", len(attempts.Results)-1), demand(*answer.KeyMetadata.Arn == *key, "another key")
	})
}

func sharedSecret(client *kms.Client) error {
	own, err := ecdh.P256().GenerateKey(rand.Reader)
	if err != nil {
		return err
	}
	public, err := x509.MarshalPKIXPublicKey(own.PublicKey())
	if err != nil {
		return err
	}
	derived, err := client.DeriveSharedSecret(ctx, &kms.DeriveSharedSecretInput{KeyId: agreement, KeyAgreementAlgorithm: types.KeyAgreementAlgorithmSpecEcdh, PublicKey: public})
	if err != nil {
		return err
	}
	told, err := client.GetPublicKey(ctx, &kms.GetPublicKeyInput{KeyId: agreement})
	if err != nil {
		return err
	}
	parsed, err := x509.ParsePKIXPublicKey(told.PublicKey)
	if err != nil {
		return err
	}
	theirs, err := parsed.(interface {
		ECDH() (*ecdh.PublicKey, error)
	}).ECDH()
	if err != nil {
		return err
	}
	expected, err := own.ECDH(theirs)
	if err != nil {
		return err
	}
	return demand(bytes.Equal(expected, derived.SharedSecret), "another secret")
}
