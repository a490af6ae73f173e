"""The first layers of AlexNet and of SqueezeNet 1.1 in PyTorch, with torchvision's names."""

import torch
from torch import nn

MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


class Fire(nn.Module):
    def __init__(self, inputs, squeeze, expand):
        super().__init__()
        self.squeeze = nn.Conv2d(inputs, squeeze, 1)
        self.expand1x1 = nn.Conv2d(squeeze, expand, 1)
        self.expand3x3 = nn.Conv2d(squeeze, expand, 3, padding=1)

    def forward(self, maps):
        maps = self.squeeze(maps).relu_()
        return torch.cat([self.expand1x1(maps), self.expand3x3(maps)], 1).relu_()


class Extractor(nn.Module):
    def __init__(self, *layers):
        super().__init__()
        self.features = nn.Sequential(*layers)
        for name, values in ("mean", MEAN), ("deviation", DEVIATION):
            self.register_buffer(name, torch.tensor(values).reshape(1, 3, 1, 1), persistent=False)

    def forward(self, patches):
        """Grey patches count as three equal channels."""
        return self.features((patches - self.mean) / self.deviation)


def alexnet():
    return Extractor(
        nn.Conv2d(3, 64, 11, 4, 2),
        nn.ReLU(inplace=True),
        nn.MaxPool2d(3, 2),
        nn.Conv2d(64, 192, 5, 1, 2),
        nn.ReLU(inplace=True),
        nn.MaxPool2d(3, 2),
        nn.Conv2d(192, 384, 3, 1, 1),
        nn.ReLU(inplace=True),
    )


def squeezenet():
    return Extractor(
        nn.Conv2d(3, 64, 3, 2),
        nn.ReLU(inplace=True),
        nn.MaxPool2d(3, 2, ceil_mode=True),
        Fire(64, 16, 64),
        Fire(128, 16, 64),
        nn.MaxPool2d(3, 2, ceil_mode=True),
        Fire(128, 32, 128),
    )


def extractor(name, inputs, memory_format):
    """The frozen extractor with our weights."""
    model = {"alexnet": alexnet, "squeezenet": squeezenet}[name]()
    weights = {name: torch.from_numpy(values) for name, values in inputs.items() if name.startswith("features.")}
    model.load_state_dict(weights)
    return model.requires_grad_(False).to(memory_format=memory_format)
