import java.security.KeyFactory;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.interfaces.RSAPrivateCrtKey;
import java.security.spec.ECGenParameterSpec;
import java.security.spec.PKCS8EncodedKeySpec;
import java.security.spec.RSAPublicKeySpec;
import java.security.spec.X509EncodedKeySpec;
import java.util.Arrays;
import java.util.Map;
import java.util.concurrent.Callable;
import javax.crypto.KeyAgreement;
import software.amazon.awssdk.core.SdkBytes;
import software.amazon.awssdk.core.util.VersionInfo;
import software.amazon.awssdk.services.kms.KmsClient;
import software.amazon.awssdk.services.kms.model.DataKeyPairSpec;
import software.amazon.awssdk.services.kms.model.DataKeySpec;
import software.amazon.awssdk.services.kms.model.InvalidCiphertextException;
import software.amazon.awssdk.services.kms.model.KeyAgreementAlgorithmSpec;
import software.amazon.awssdk.services.kms.model.KmsException;
import software.amazon.awssdk.services.kms.model.SigningAlgorithmSpec;

/** The AWS SDK for Java v2 goes through the checks of the KMS proxy (kms.test.ts), with nothing set but the environment. */
final class Kms {
    private static final String KEY = System.getenv("KMS_SYMMETRIC_KEY");
    private static final String SIGNING = System.getenv("KMS_SIGNING_KEY");
    private static final String AGREEMENT = System.getenv("KMS_AGREEMENT_KEY");
    private static final String OTHER = System.getenv("KMS_OTHER_KEY");
    private static final SdkBytes MESSAGE = SdkBytes.fromUtf8String("a message");
    private static final Map<String, String> CONTEXT = Map.of("purpose", "files");

    private final KmsClient kms = KmsClient.create();

    private static String quoted(String text) {
        return '"' + text.replace("\\", "\\\\").replace("\"", "\\\"").replace("\n", " ") + '"';
    }

    private static void check(String name, Callable<String> run) {
        String detail;
        boolean ok = true;
        try {
            detail = run.call();
        } catch (Exception error) {
            ok = false;
            detail = error.toString();
        }
        System.out.printf("{\"check\":%s,\"ok\":%s,\"detail\":%s}%n", quoted(name), ok, quoted(detail));
    }

    private static String demand(boolean holds, String what) {
        if (!holds) throw new IllegalStateException(what);
        return "";
    }

    private static String refused(Callable<?> run, String code, String words) throws Exception {
        try {
            run.call();
        } catch (KmsException refusal) {
            demand(refusal.awsErrorDetails().errorCode().equals(code), refusal.toString());
            demand(refusal.awsErrorDetails().errorMessage().contains(words), refusal.toString());
            demand(refusal.numAttempts() == null || refusal.numAttempts() == 1, "was tried again");
            return code;
        }
        throw new IllegalStateException("no exception");
    }

    private SdkBytes encrypt(byte[] plaintext) {
        return kms.encrypt(r -> r.keyId(KEY).plaintext(SdkBytes.fromByteArray(plaintext)).encryptionContext(CONTEXT)).ciphertextBlob();
    }

    private byte[] decrypt(String keyId, SdkBytes sealed) {
        return kms.decrypt(r -> r.keyId(keyId).ciphertextBlob(sealed).encryptionContext(CONTEXT)).plaintext().asByteArray();
    }

    private String encryptDecrypt() {
        for (byte[] plaintext : new byte[][] {{1}, new byte[4096]}) {
            demand(Arrays.equals(decrypt(KEY, encrypt(plaintext)), plaintext), "another plaintext");
        }
        return "";
    }

    private String dataKey() {
        var made = kms.generateDataKey(r -> r.keyId(KEY).keySpec(DataKeySpec.AES_256).encryptionContext(CONTEXT));
        byte[] opened = decrypt(null, made.ciphertextBlob());
        return demand(opened.length == 32 && Arrays.equals(opened, made.plaintext().asByteArray()), "another key");
    }

    private String dataKeyPair() throws Exception {
        var made = kms.generateDataKeyPair(r -> r.keyId(KEY).keyPairSpec(DataKeyPairSpec.RSA_2048));
        KeyFactory rsa = KeyFactory.getInstance("RSA");
        var own = (RSAPrivateCrtKey) rsa.generatePrivate(new PKCS8EncodedKeySpec(made.privateKeyPlaintext().asByteArray()));
        PublicKey fits = rsa.generatePublic(new RSAPublicKeySpec(own.getModulus(), own.getPublicExponent()));
        return demand(Arrays.equals(fits.getEncoded(), made.publicKey().asByteArray()), "the halves do not fit");
    }

    private String sharedSecret() throws Exception {
        KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
        generator.initialize(new ECGenParameterSpec("secp256r1"));
        KeyPair own = generator.generateKeyPair();
        var derived = kms.deriveSharedSecret(r -> r.keyId(AGREEMENT)
            .keyAgreementAlgorithm(KeyAgreementAlgorithmSpec.ECDH)
            .publicKey(SdkBytes.fromByteArray(own.getPublic().getEncoded())));
        byte[] told = kms.getPublicKey(r -> r.keyId(AGREEMENT)).publicKey().asByteArray();
        KeyAgreement agreement = KeyAgreement.getInstance("ECDH");
        PrivateKey half = own.getPrivate();
        agreement.init(half);
        agreement.doPhase(KeyFactory.getInstance("EC").generatePublic(new X509EncodedKeySpec(told)), true);
        return demand(Arrays.equals(agreement.generateSecret(), derived.sharedSecret().asByteArray()), "another secret");
    }

    private String signVerify() {
        var algorithm = SigningAlgorithmSpec.ECDSA_SHA_256;
        var signature = kms.sign(r -> r.keyId(SIGNING).message(MESSAGE).signingAlgorithm(algorithm)).signature();
        return demand(
            kms.verify(r -> r.keyId(SIGNING).message(MESSAGE).signingAlgorithm(algorithm).signature(signature)).signatureValid(),
            "not valid");
    }

    private String typedRefusal() {
        try {
            decrypt(KEY, SdkBytes.fromByteArray(new byte[80]));
        } catch (InvalidCiphertextException refusal) {
            return refusal.getClass().getSimpleName();
        }
        throw new IllegalStateException("no exception");
    }

    public static void main(String[] arguments) {
        System.out.printf("{\"version\":%s,\"runtime\":%s}%n",
            quoted("AWS SDK " + VersionInfo.SDK_VERSION), quoted("Java " + Runtime.version().feature()));
        Kms own = new Kms();
        check("encrypt-decrypt", own::encryptDecrypt);
        check("decrypt-without-key", () ->
            demand(Arrays.equals(own.decrypt(null, own.encrypt(new byte[] {7})), new byte[] {7}), "another plaintext"));
        check("data-key", own::dataKey);
        check("data-key-pair", own::dataKeyPair);
        check("random", () ->
            demand(own.kms.generateRandom(r -> r.numberOfBytes(48)).plaintext().asByteArray().length == 48, "another length"));
        check("shared-secret", own::sharedSecret);
        check("sign-verify", own::signVerify);
        check("typed-refusal", own::typedRefusal);
        check("rules-refusal", () ->
            refused(() -> own.kms.encrypt(r -> r.keyId(OTHER).plaintext(MESSAGE)), "AccessDeniedException", "enclave.yaml"));
        check("alias-refusal", () ->
            refused(() -> own.kms.encrypt(r -> r.keyId("alias/x").plaintext(MESSAGE)), "AccessDeniedException", "ARN"));
        check("outage-retried", () ->
            demand(own.kms.describeKey(r -> r.keyId(KEY)).keyMetadata().arn().equals(KEY), "another key"));
    }
}
