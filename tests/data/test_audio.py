"""Log-mel frames against a slow transform; wave files against the standard library."""

import io
import wave

import numpy as np
import pytest

from ostinato.data import log_mel, mel_filters, read_wave
from ostinato.errors import CorruptFile, LengthError


def slow_log_mel(signal, rate, frame, hop, mels, low, high) -> np.ndarray:
    size, step = round(frame * rate), round(hop * rate)
    mel_low, mel_high = (1127.01048 * np.log(1 + f / 700) for f in (low, high))
    corners = [
        700 * (np.exp((mel_low + (mel_high - mel_low) * i / (mels + 1)) / 1127.01048) - 1) for i in range(mels + 2)
    ]
    out = []
    for start in range(0, len(signal) - size + 1, step):
        energies = []
        power = []
        for k in range(size // 2 + 1):
            total = 0j
            for n in range(size):
                window = np.sin(np.pi * n / size) ** 2
                total += window * signal[start + n] * np.exp(-2j * np.pi * k * n / size)
            power.append(abs(total) ** 2)
        for m in range(mels):
            energy = 0.0
            for k, p in enumerate(power):
                f = k * rate / size
                if corners[m] < f <= corners[m + 1]:
                    energy += p * (f - corners[m]) / (corners[m + 1] - corners[m])
                elif corners[m + 1] < f < corners[m + 2]:
                    energy += p * (corners[m + 2] - f) / (corners[m + 2] - corners[m + 1])
            energies.append(np.log(energy + 1e-10))
        out.append(energies)
    return np.array(out)


@pytest.mark.parametrize(("rate", "frame"), [(1000, 0.025), (1000, 0.032)], ids=["odd size", "even size"])
def test_against_a_slow_transform(rate, frame):
    signal = np.random.default_rng(3).normal(size=70)
    settings = (rate, frame, 0.010, 5, 30.0, 450.0)
    np.testing.assert_allclose(log_mel(signal, *settings), slow_log_mel(signal, *settings), rtol=1e-6)


@pytest.mark.parametrize("frequency", [300.0, 1000.0, 2500.0])
def test_a_tone_falls_into_its_band(frequency):
    tone = np.sin(2 * np.pi * frequency * np.arange(4000) / 8000)
    mel = 2595 * np.log10(1 + np.array([20.0, frequency, 4000.0]) / 700)
    band = (mel[1] - mel[0]) / (mel[2] - mel[0]) * 41 - 1
    assert abs(log_mel(tone, 8000).mean(0).argmax() - band) < 1


def test_neighbouring_triangles_add_up_to_one():
    filters = mel_filters(8000, 4000, 10, 100.0, 3000.0)
    frequencies = np.arange(2001) * 2.0
    corners = 700 * (10 ** (np.linspace(*(2595 * np.log10(1 + np.array([100, 3000]) / 700)), 12) / 2595) - 1)
    inside = (frequencies >= corners[1]) & (frequencies <= corners[-2])
    np.testing.assert_allclose(filters.sum(1)[inside], 1, rtol=1e-12)
    assert (filters[(frequencies < 100) | (frequencies > 3000)] == 0).all()


def test_frames_of_short_signals():
    assert log_mel(np.ones(10), 8000).shape == (1, 40)
    assert log_mel(np.ones(200 + 80), 8000).shape == (2, 40)
    with pytest.raises(LengthError, match="at least one sample"):
        log_mel(np.zeros(0), 8000)
    with pytest.raises(LengthError, match="too short"):
        log_mel(np.ones(10), 8000, frame=0.0001)


@pytest.mark.parametrize("width", [1, 2])
@pytest.mark.parametrize("channels", [1, 2])
def test_wave_files(width, channels):
    levels = np.random.default_rng(0).integers(-100, 100, (50, channels))
    stored = (levels + 128).astype(np.uint8) if width == 1 else (levels * 256).astype("<i2")
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(channels)
        out.setsampwidth(width)
        out.setframerate(8000)
        out.writeframes(stored.tobytes())
    rate, signal = read_wave(file.getvalue())
    assert rate == 8000
    np.testing.assert_allclose(signal, (levels / 128).mean(1))
    for damaged in (file.getvalue()[:30], b"RIFF", b"", b"text" * 20):
        with pytest.raises(CorruptFile, match=r"x\.wav: not a readable wave file"):
            read_wave(damaged, "x.wav")
